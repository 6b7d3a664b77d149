"""MobileStyleGAN: the generator of faces at 1024 px that ships."""
