import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")  # before anything here imports the product
