"""Pin sets in the forms of other programs, with what each form cannot say named.

`table.FORMATS` has the forms that are written, `reading.table.SOURCES` those that are
read. Nothing here is weaker than the set it was made from without a `Loss` that says so.
"""
