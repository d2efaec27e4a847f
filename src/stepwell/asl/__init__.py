"""Amazon States Language: a definition as a frozen model, how data flows through a state, and what each state does."""
