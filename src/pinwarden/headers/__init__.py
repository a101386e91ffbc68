"""Public-Key-Pins and Expect-CT: read strictly, judged, and in every case to be removed."""
