"""
The writes that others must hear of.

Each service is a plain function within one transaction, for the writer's thread (`Writer.run`) and for a
request of the admin alike, and announces what it did after commit. Rights are checked before, in
`chat.actions.access`: a service takes who did it, not whether they may.
"""
