"""Following logs and telling people: one worker a log, one outbox, one daemon."""
