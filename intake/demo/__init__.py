"""The demonstration: a mailbox of its own on this machine, and sample mails. Nothing here serves a real mailbox."""
