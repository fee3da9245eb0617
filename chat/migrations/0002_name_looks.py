from django.db import migrations, models

from chat.names import MAX_NAME_CHARS, name_key, name_look


def give_looks(apps, schema_editor):
    """The older of two that look alike keeps its name, staff before all others; the younger one gets a number."""
    for name, order in (("User", ("-is_staff", "pk")), ("Room", ("pk",))):
        taken = set()
        for row in apps.get_model("chat", name).objects.order_by(*order).only("name"):
            base = row.name if name_look(row.name) else name.lower()
            row.name, number = base, 1
            while name_look(row.name) in taken:
                number += 1
                row.name = f"{base[: MAX_NAME_CHARS - 1 - len(str(number))]} {number}"
            row.name_key, row.name_look = name_key(row.name), name_look(row.name)
            taken.add(row.name_look)
            row.save(update_fields=["name", "name_key", "name_look"])
    # Those of a server that runs no more.
    apps.get_model("chat", "Connection").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [("chat", "0001_initial")]

    operations = [
        *(
            migrations.AlterField(model, "name_key", models.CharField(max_length=160, **more))
            for model, more in (
                ("connection", {"db_index": True}),
                ("room", {"editable": False}),
                ("user", {"editable": False}),
            )
        ),
        *(
            migrations.AddField(model, "name_look", models.CharField(default="", max_length=160, **more), False)
            for model, more in (
                ("connection", {"db_index": True}),
                ("room", {"editable": False}),
                ("user", {"editable": False}),
            )
        ),
        migrations.RunPython(give_looks, migrations.RunPython.noop),
        *(
            migrations.AddConstraint(
                model,
                models.UniqueConstraint(
                    fields=("name_look",),
                    name=f"{model}_look_unique",
                    violation_error_message="This name is taken.",
                ),
            )
            for model in ("room", "user")
        ),
    ]
