"""The functions an expression can call: JSONata 2.0's and the six that Step Functions adds."""
