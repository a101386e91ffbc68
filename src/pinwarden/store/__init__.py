"""What Pinwarden remembers: positions in logs, sightings, findings, alerts and their delivery."""
