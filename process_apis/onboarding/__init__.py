"""Onboarding: from the CRM's account to a customer with credit terms everywhere."""
