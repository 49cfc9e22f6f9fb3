"""What people and the company ask of each other: requests from devices, and who has answered them."""
