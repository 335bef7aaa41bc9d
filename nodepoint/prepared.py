"""Queries that are asked all the time: built once for each shape, then only filled in.

Django builds the SQL of a query anew whenever it is asked, which takes some ten times as long as the database
takes to answer one about a single row. `prepared(Model)` is said like `Model.objects`, with fewer words, and
means the same; but the SQL is kept under the query's shape, which is everything but its values. The house
asks with managers: this is for what a call of a step costs (docs/performance.md).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, DateTimeField, Expression, F, Field, IntegerField, Model, Q, TextField
from django.db.models.base import ModelState
from django.db.models.expressions import CombinedExpression
from django.db.models.fields import AutoFieldMixin
from django.db.models.query import RelatedPopulator
from django.db.models.sql import UpdateQuery

M = TypeVar("M", bound=Model)
Converter = Callable[[Any, Any, BaseDatabaseWrapper], Any]
Reader = Callable[[list[tuple], BaseDatabaseWrapper], Iterable[Any]]

PLAIN = {str, int, float, datetime, dict, list}  # values that are filled in, as nobody needs to ask
COMPARISONS = {"exact", "gt", "gte", "lt", "lte", "in", "isnull"}  # which take a value as it is


def prepared(model: type[M]) -> "Prepared[M]":
    """All rows of a model, also those that its default manager leaves out."""
    return Prepared(model, ())


class Prepared(Generic[M]):
    """A query to be; its methods mean what those of a queryset do. Rows come in no order but that which is
    said.

    True, False, None and sums with `F` belong to the shape, all other values are filled in. Raises ValueError
    for a lookup that is none of COMPARISONS, and for other expressions."""

    def __init__(self, model: type[M], parts: tuple[tuple[str, Any], ...]) -> None:
        self._model, self._parts = model, parts

    def filter(self, *conditions: Q, **lookups: Any) -> "Prepared[M]":
        """With these conditions, too."""
        return self._with("filter", (*conditions, *lookups.items()))

    def order_by(self, *names: str) -> "Prepared[M]":
        """In this order."""
        return self._with("order_by", names)

    def select_related(self, *names: str) -> "Prepared[M]":
        """With the rows that these foreign keys lead to."""
        return self._with("select_related", names)

    def select_for_update(self) -> "Prepared[M]":
        """Held until the transaction ends, where the database holds single rows."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("There is no transaction to hold rows for.")
        return self._with("select_for_update", ())

    def defer(self, *names: str) -> "Prepared[M]":
        """Without these columns."""
        return self._with("defer", names)

    def limit(self, count: int) -> "Prepared[M]":
        """At most so many. Each number makes a statement of its own."""
        return self._with("limit", count)

    def all(self) -> list[M]:
        """Every row."""
        return list(self._rows("objects", ()))

    def first(self) -> M | None:
        """The first row in the order that was said, or None."""
        return next(iter(self.limit(1).all()), None)

    def get(self) -> M:
        """The only row. Raises the model's DoesNotExist or MultipleObjectsReturned."""
        found = self.limit(2).all()
        if len(found) == 1:
            return found[0]
        error = self._model.MultipleObjectsReturned if found else self._model.DoesNotExist
        raise error(f"{self._model.__name__}: {len(found)} rows instead of one.")

    def values(self, *names: str) -> list[Any]:
        """Of every row these columns as a tuple; of a single column the value alone."""
        rows = self._rows("values", names)
        return [value for (value,) in rows] if len(names) == 1 else list(map(tuple, rows))

    def update(self, **values: Any) -> int:
        """Change the rows; returns how many."""
        database = connections[DEFAULT_DB_ALIAS]
        statement, found = self._statement(database, "update", tuple(values.items()))
        if statement is None:
            return 0
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), database.cursor() as cursor:
            cursor.execute(statement.sql, statement.filled(found, database))
            return cursor.rowcount

    def insert(self, rows: list[M]) -> None:
        """Add these rows, all in one statement. Keys that the database gives are not read back.

        Each number of rows makes a statement of its own."""
        if not rows:
            return
        database = connections[DEFAULT_DB_ALIAS]
        shape = database.vendor, self._model, "insert", len(rows)
        if shape not in _kept:
            _kept[shape] = _insertion(database, self._model, len(rows))
        statement, params = _kept[shape], []
        for row in rows:
            values = [slot.column.pre_save(row, True) for slot in statement.parameters]
            params += statement.filled(values, database)
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), database.cursor() as cursor:
            cursor.execute(statement.sql, params)
        for row in rows:
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

    def _with(self, kind: str, what: Any) -> "Prepared[M]":
        return Prepared(self._model, (*self._parts, (kind, what)))

    def _rows(self, kind: str, what: tuple) -> Iterable[Any]:
        database = connections[DEFAULT_DB_ALIAS]
        statement, found = self._statement(database, kind, what)
        if statement is None:
            return ()
        with database.cursor() as cursor:
            cursor.execute(statement.sql, statement.filled(found, database))
            return statement.read(cursor.fetchall(), database)

    def _statement(
        self, database: BaseDatabaseWrapper, kind: str, what: tuple
    ) -> "tuple[_Statement | None, list[Any]]":
        """The statement of this shape, None where no row can match, and the values to fill in."""
        found: list[Any] = []
        parts = [
            (name, *[_shape(one, found) for one in part]) if name == "filter" else (name, part)
            for name, part in self._parts
        ]
        said = tuple([_shape(pair, found) for pair in what]) if kind == "update" else what
        shape = database.vendor, self._model, tuple(parts), kind, said
        if shape not in _kept:
            _kept[shape] = self._built(kind, what)
        return _kept[shape], found

    def _built(self, kind: str, what: tuple) -> "_Statement | None":
        slots: list[_Slot] = []
        rows = self._model._base_manager.order_by()
        for name, part in self._parts:
            if name == "filter":
                rows = rows.filter(*[_with_slots(self._model, one, slots) for one in part])
            elif name == "limit":
                rows = rows[:part]
            else:
                rows = getattr(rows, name)(*part)
        if kind == "update":
            query = rows.query.chain(UpdateQuery)
            query.add_update_values(dict(_with_slots(self._model, pair, slots) for pair in what))
        else:
            query = (rows.values_list(*what) if kind == "values" else rows).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        read = {"update": _nothing, "values": _values, "objects": _objects}[kind]
        return _Statement(sql, tuple(params), read(compiler))


@dataclass(frozen=True)
class _Statement:
    """SQL, its parameters, some of which are slots, and what makes results of the rows that it gives."""

    sql: str
    parameters: tuple[Any, ...]
    read: Reader

    def filled(self, found: list[Any], database: BaseDatabaseWrapper) -> list[Any]:
        return [one.adapted(found, database) if type(one) is _Slot else one for one in self.parameters]


_kept: dict[tuple, _Statement | None] = {}


def _insertion(database: BaseDatabaseWrapper, model: type[Model], count: int) -> _Statement:
    """The statement that adds so many rows; its parameters are those of one."""
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoFieldMixin)]
    table, *columns = map(database.ops.quote_name, [model._meta.db_table, *(one.column for one in fields)])
    row = f"({', '.join(['%s'] * len(fields))})"
    sql = " ".join(["INSERT INTO", table, f"({', '.join(columns)})", "VALUES", ", ".join([row] * count)])
    slots = tuple(_Slot(place, field) for place, field in enumerate(fields))
    return _Statement(sql, slots, _nothing(None))


class _Slot(Expression):
    """The place of the value with this `number` in a statement."""

    def __init__(self, number: int, column: Field) -> None:
        super().__init__()
        self.number, self.column = number, column
        self.plain = _plain(column)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list["_Slot"]]:
        return "%s", [self]

    def adapted(self, found: list[Any], database: BaseDatabaseWrapper) -> Any:
        """Its value as the database's driver wants it. Columns ask much about a value that is what they hold
        already."""
        value = found[self.number]
        if type(value) is self.plain:
            if self.plain is not datetime:
                return value
            if value.tzinfo is not None:
                return database.ops.adapt_datetimefield_value(value)
        return self.column.get_db_prep_save(value, connection=database)


def _plain(column: Field) -> type | None:
    """The type of values that the column's own adaptation leaves as they are, or, of moments, only writes as
    the database does; None: it changes all."""
    column = getattr(column, "target_field", column)
    for usual, plain in ((CharField, str), (TextField, str), (IntegerField, int), (DateTimeField, datetime)):
        if isinstance(column, usual):
            own = ("get_prep_value", "get_db_prep_value", "get_db_prep_save", "to_python")
            same = all(getattr(type(column), name) is getattr(usual, name) for name in own)
            return plain if same or plain is int else None
    return None


def _shape(part: Any, found: list[Any]) -> Any:
    """What is always the same of a condition, or of a column's new value; the rest is added to `found`."""
    if type(part) is not tuple:  # a Q
        return part.connector, part.negated, *[_shape(child, found) for child in part.children]
    name, value = part
    kind = type(value)
    if kind is bool or value is None:
        return part
    if kind not in PLAIN and _is_fixed(value):
        return name, repr(value)
    if name.endswith("__in"):
        found.extend(value)
        return name, len(value)
    found.append(value)
    return name


def _with_slots(model: type[Model], part: Any, slots: list[_Slot]) -> Any:
    """The same with slots in the places of what `_shape` finds."""
    if isinstance(part, Q):
        children = [_with_slots(model, child, slots) for child in part.children]
        return Q(*children, _connector=part.connector, _negated=part.negated)
    name, value = part
    if _is_fixed(value):
        return name, value
    field = _field(model, name)
    if name.endswith("__in"):
        return name, [_new_slot(field, slots) for _ in value]
    return name, _new_slot(field, slots)


def _new_slot(field: Field, slots: list[_Slot]) -> _Slot:
    slots.append(_Slot(len(slots), field))
    return slots[-1]


def _is_fixed(value: Any) -> bool:
    if value is None or isinstance(value, bool | F | CombinedExpression):
        return True
    if hasattr(value, "resolve_expression"):
        raise ValueError(f"{value!r}: of expressions only sums with F.")
    return False


def _field(model: type[Model], lookup: str) -> Field:
    """The column that a lookup compares."""
    *path, last = lookup.split("__")
    if last not in COMPARISONS:
        path.append(last)
    field: Any = None
    for name in path:
        if field is not None and field.related_model is None:
            raise ValueError(f"{lookup}: {name} is none of {', '.join(sorted(COMPARISONS))}.")
        options = (field.related_model if field is not None else model)._meta
        field = options.pk if name == "pk" else options.get_field(name)
    return field


def _nothing(compiler: Any) -> Reader:
    """Of a statement that gives no rows."""
    return lambda rows, database: rows


def _values(compiler: Any) -> Reader:
    """Rows with Python's values in place of the database's."""
    converters = list(compiler.get_converters([column for column, *_ in compiler.select]).items())
    for _, (functions, _) in converters:
        functions[:] = [_quick(one) for one in functions]

    def read(rows: list[tuple], database: BaseDatabaseWrapper) -> Iterator[list[Any]]:
        for row in map(list, rows):
            for place, (functions, expression) in converters:
                if row[place] is not None:  # which stays None, whatever the column is
                    for function in functions:
                        row[place] = function(row[place], expression, database)
            yield row

    return read


def _quick(convert: Converter) -> Converter:
    """The same for a moment as SQLite has it, which is text that Django reads in four steps."""
    own = getattr(convert, "__self__", None)  # of the operations of the database
    if getattr(convert, "__name__", "") != "convert_datetimefield_value" or own.connection.vendor != "sqlite":
        return convert

    def read(value: Any, expression: Any, database: BaseDatabaseWrapper) -> datetime:
        found = datetime.fromisoformat(value) if type(value) is str else None
        if found is None or found.tzinfo is not None or database.timezone is not UTC:
            return convert(value, expression, database)
        return found.replace(tzinfo=UTC)

    return read


def _objects(compiler: Any) -> Reader:
    """Instances of the model, as Django's own ModelIterable makes them; without its signals before and after
    that, for which nobody here listens, and which take most of the time."""
    convert, model = _values(compiler), compiler.klass_info["model"]
    fields = compiler.klass_info["select_fields"]
    own = slice(fields[0], fields[-1] + 1)
    names = [column.target.attname for column, *_ in compiler.select[own]]
    related = _related(compiler.klass_info, compiler.select)

    def read(rows: list[tuple], database: BaseDatabaseWrapper) -> Iterator[Model]:
        for row in convert(rows, database):
            made = _made(model, names, row[own])
            for one in related:
                one.populate(row, made)
            yield made

    return read


def _made(model: type[Model], names: list[str], values: Sequence[Any]) -> Model:
    made = model.__new__(model)
    made.__dict__.update(zip(names, values, strict=True))
    made._state = ModelState()
    made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
    return made


class _Related(RelatedPopulator):
    """Makes the instance that a foreign key leads to in the same way."""

    def __init__(self, klass_info: dict[str, Any], select: Any, db: str) -> None:
        super().__init__(klass_info, select, db)
        self.related_populators = _related(klass_info, select)

    def populate(self, row: list[Any], from_obj: Model) -> None:
        values = self.reorder_for_init(row) if self.reorder_for_init else row[self.cols_start : self.cols_end]
        found = None
        if values[self.pk_idx] is not None:
            found = _made(self.model_cls, self.init_list, values)
            for one in self.related_populators:
                one.populate(row, found)
        self.local_setter(from_obj, found)
        if found is not None:
            self.remote_setter(found, from_obj)


def _related(klass_info: dict[str, Any], select: Any) -> list[_Related]:
    return [_Related(info, select, DEFAULT_DB_ALIAS) for info in klass_info.get("related_klass_infos", ())]
