import matplotlib.pyplot
