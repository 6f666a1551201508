"""The application: from a mail in the box to a row in the register and a reply."""
