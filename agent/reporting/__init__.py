"""How what passed the privacy door reaches the server: outbox, check-in, enrolment."""
