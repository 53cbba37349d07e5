"""Where allauth looks for providers: it loads the module of this name in every installed app."""

from accounts.single_sign_on import SingleSignOnProvider

provider_classes = [SingleSignOnProvider]
