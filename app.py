"""Start the studio: python app.py"""

from app.__main__ import main

if __name__ == "__main__":
    main()
