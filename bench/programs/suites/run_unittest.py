import sys
import unittest

runner = unittest.TextTestRunner(stream=sys.stdout)
unittest.main(module=None, testRunner=runner)
