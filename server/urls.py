"""Addresses for people. Those for devices stand in `server.fleet.agent_api`, and never come here."""

from django.contrib import admin
from django.urls import path

from server.access.views import once

urlpatterns = [
    path("login/once/<str:token>", once, name="login_once"),
    path("", admin.site.urls),
]
