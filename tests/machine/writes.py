"""Programs that write to x, or to y: what the tests of assignments run on every layout."""

import numpy as np


class Stencils:
    """Writes to a part of x that read another part of it, or y."""

    def interior_from_both_neighbours(x, y):
        x[1:-1] = x[2:] + x[:-2]
        return x

    def each_from_the_one_before(x, y):
        x[1:] = x[:-1] * 2
        return x

    def each_from_the_next(x, y):
        x[:-1] = x[1:] * 2
        return x

    def reversed_into_itself(x, y):
        x[::-1] = x
        return x

    def whole_from_its_reverse(x, y):
        x[:] = x[::-1]
        return x

    def moved_on_by_one(x, y):
        x[1:] = x[:-1]
        return x

    def each_plus_the_one_before(x, y):
        x[1:] += x[:-1]
        return x

    def each_plus_the_next(x, y):
        x[:-1] += x[1:]
        return x

    def every_other_doubled(x, y):
        x[::2] = x[::2] * 2
        return x

    def smoothed(x, y):
        x[1:-1] = 0.25 * x[:-2] + 0.5 * x[1:-1] + 0.25 * x[2:]
        return x

    def whole_copied(x, y):
        x[...] = y
        return x

    def expression_of_both(x, y):
        x[:] = y * 2 + x
        return x

    def first_from_last(x, y):
        x[0] = x[-1]
        return x

    def differences_of_another(x, y):
        x[2:] = y[2:] - y[:-2]
        return x

    def last_plus_first_of_another(x, y):
        x[-1] += y[0]
        return x

    def whole_to_an_int(x, y):
        x[:] = 3
        return x

    def rest_to_a_float(x, y):
        x[1:] = 0.5
        return x

    def whole_to_its_sum(x, y):
        x[:] = x.sum()
        return x

    def first_from_extremes(x, y):
        x[0] = y.max() - x[1]
        return x

    def part_of_a_new_axis(x, y):
        x[None, 1:] = y[1:]
        return x

    def view_of_a_view_increased(x, y):
        t = x[1:]
        v = t[1:]
        v += 2
        return x

    def reversed_view_assigned(x, y):
        t = x[::-1]
        t[1:] = y[1:] + 1
        return x

    def parts_of_parts(x, y):
        x[1:][1:][...] = y[:-2]
        return x

    def reversed_minus_another(x, y):
        x[..., ::-1] -= y
        return x

    def whole_from_a_reverse(x, y):
        x[...] = y[..., ::-1]
        return x

    def whole_doubled(x, y):
        x[:] = x + x
        return x

    def larger_of_both(x, y):
        x[:] = np.where(x > y, x, y)
        return x

    def rest_minus_a_product(x, y):
        x[1:] -= x[1:] * y[:-1]
        return x

    def filled(x, y):
        x.fill(2)
        return x

    def copied_by_a_function(x, y):
        np.copyto(x, y)
        return x

    def roots_of_another(x, y):
        x[:] = np.sqrt(np.abs(y))
        return x

    def whole_negated(x, y):
        x[:] = -x
        return x

    def first_two_from_last_two(x, y):
        x[:2] = x[-2:]
        return x


class Planes:
    """Writes to a plane that read another part of it, or y."""

    def whole_from_its_transpose(x, y):
        x[:] = x.T
        return x

    def interior_from_four_neighbours(x, y):
        x[1:-1, 1:-1] = (x[2:, 1:-1] + x[:-2, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2]) * 0.25
        return x

    def transpose_plus_itself(x, y):
        x[:] = x.T + x
        return x

    def plus_its_transpose(x, y):
        x += x.T
        return x

    def columns_moved_on(x, y):
        x[:, 1:] = x[:, :-1]
        return x

    def moved_on_along_the_diagonal(x, y):
        x[1:, 1:] = x[:-1, :-1]
        return x

    def reversed_both_ways(x, y):
        x[::-1, ::-1] = x
        return x

    def columns_times_reversed(x, y):
        x[:, ::-1] *= x
        return x

    def first_row_from_first_column(x, y):
        x[0] = x[:, 0]
        return x

    def first_column_from_first_row(x, y):
        x[:, 0] = x[0] * 2
        return x

    def transpose_copied(x, y):
        x.T[...] = y
        return x

    def transpose_moved_on(x, y):
        x.T[1:] = y[:-1]
        return x

    def whole_from_a_row(x, y):
        x[:] = y[0]
        return x

    def whole_from_a_column(x, y):
        x[:] = y[:, :1]
        return x

    def plus_first_row(x, y):
        x += x[0]
        return x

    def plus_first_column(x, y):
        x += x[:, :1]
        return x

    def times_second_row(x, y):
        x *= x[1]
        return x

    def minus_means(x, y):
        x -= x.mean(axis=0)
        return x

    def over_sums_of_rows(x, y):
        x /= x.sum(axis=1, keepdims=True)
        return x

    def product_of_matrices(x, y):
        x[:] = x @ y
        return x

    def row_eliminated(x, y):
        x[2] -= x[1] * x[0, 2]
        return x

    def column_from_a_column(x, y):
        x[1:, 1] = x[:-1, 2]
        return x

    def sorted_columns(x, y):
        x[:] = np.sort(x, axis=0)
        return x

    def transpose_of_transpose(x, y):
        x.T.T[0] += y[0]
        return x

    def flattened_every_other(x, y):
        x.reshape(-1)[::2] = 1
        return x

    def rows_chosen(x, y):
        x[np.arange(2)] = 0.5
        return x

    def diagonal_alone(x, y):
        x.diagonal()
        return x

    def where_larger(x, y):
        x[x > y] = 0
        return x

    def interior_updated(x, y):
        x[1:, 1:] += y[:-1, :-1] * x[1:, 1:] - x[:-1, 1:]
        return x


class Assigning:
    """Assignments of y to x, or of x to y."""

    def whole_from_another(x, y):
        x[:] = y
        return x, y

    def moved_on_from_another(x, y):
        x[1:] = y[:-1]
        return x, y

    def ellipsis_from_another(x, y):
        x[...] = y
        return x, y

    def moved_on_into_another(x, y):
        y[1:] = x[:-1]
        return x, y


class Computing:
    """Writes of what is computed from x and y."""

    def plus_another(x, y):
        x += y
        return x, y

    def expression_of_another(x, y):
        x[:] = y * 2 + 1
        return x, y

    def product_of_both(x, y):
        x[...] = x * y
        return x, y

    def add_to_out(x, y):
        np.add(y, 1, out=x)
        return x, y

    def sin_to_out(x, y):
        np.sin(y, out=x)
        return x, y

    def times_an_expression(x, y):
        x *= y + 1
        return x, y

    def product_to_the_second(x, y):
        np.multiply(x, y, out=y)
        return x, y

    def exponential(x, y):
        x[:] = np.exp(y)
        return x, y

    def sum_by_a_name(x, y):
        t = x + y
        x[:] = t
        return x, y


class Reading:
    """Programs that only read x and y."""

    def sum_and_product(x, y):
        return x + y, x * y

    def square_of_the_difference(x, y):
        t = x - y
        return t * t, t.sum()

    def larger_of_both(x, y):
        return np.where(x > y, x, y)


class Flagged:
    """Writes that raise a flag in the middle, where x is 1e300 and y is zero."""

    def overflow(x, y):
        x *= 1e200
        return x

    def division_by_zero(x, y):
        x /= y
        return x

    def quotients_of_a_part(x, y):
        x[1:] = x[:-1] / y[1:]
        return x

    def quotient_to_out(x, y):
        np.divide(1.0, y, out=x)
        return x

    def infinite_product(x, y):
        x -= y * 1e999
        return x

    def power_overflow(x, y):
        x **= 400
        return x

    def log_of_negatives(x, y):
        x[:] = np.log(y - 2)
        return x

    def root_of_negatives(x, y):
        np.sqrt(-y, out=x)
        return x

    def product_of_infinity(x, y):
        x += y * 1e308 * 10
        return x

    def every_other_over_zero(x, y):
        x[::2] = 1 / (y[::2] - y[::2])
        return x

    def floor_division_by_zero(x, y):
        x //= y - y
        return x


class Failing:
    """Writes that fail where x cannot be written, or y does not fit it."""

    def plus_another(x, y):
        x += y
        return x

    def whole(x, y):
        x[:] = y
        return x

    def moved_on(x, y):
        x[1:] = x[:-1]
        return x

    def add_to_out(x, y):
        np.add(x, y, out=x)
        return x

    def first(x, y):
        x[0] = 1
        return x

    def filled(x, y):
        x.fill(3)
        return x

    def every_other_doubled(x, y):
        x[::2] *= 2
        return x


class TwoMaps:
    """Programs that read y after a write to x: both are maps of one file."""

    def moved_on(x, y):
        x[1:] = y[:-1]
        return x.copy()

    def plus_another(x, y):
        x += y
        return y.copy()

    def zeroed_between_reads(x, y):
        t = y * 2
        x[:] = 0
        u = y + 1
        return t, u

    def reversed_into_the_other(x, y):
        x[::-1] = y
        return x + y

    def expression_of_the_reverse(x, y):
        x[:] = y[::-1] * 2 + 1
        return y + 0

    def sum_to_a_shifted_out(x, y):
        np.add(y[1:], 1, out=x[:-1])
        return x * 1
