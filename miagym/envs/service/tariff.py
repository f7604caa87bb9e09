"""Tariffs: what a call to a service costs."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.errors import SettingsError, UnknownName


@dataclass(frozen=True)
class Tariff:
    """Price list of a service: so much for a call, and so much for each picture that it brings.

    Prices are whole numbers, cents for instance, so that sums are exact.

    Raises:
        SettingsError: if a price is no whole number of 0 or more, or all are 0.
    """

    call: int = 0
    picture: int = 0
    row: int = 0
    """For each UNet row that is computed, as whoever pays for the machine counts."""
    unit: str = "credits"
    """What prices and budgets are counted in."""

    def __post_init__(self) -> None:
        prices = {"call": self.call, "picture": self.picture, "row": self.row}
        for name, price in prices.items():
            if not isinstance(price, int) or isinstance(price, bool) or price < 0:
                raise SettingsError(
                    f"Expected a whole number of 0 or more as the price of a {name}, got "
                    f"{price!r}; count in a smaller coin."
                )
        if not any(prices.values()):
            raise SettingsError("A tariff that asks for nothing leaves no budget to spend wisely.")
        if not isinstance(self.unit, str) or not self.unit:
            raise SettingsError(f"Expected the name of a coin as unit, got {self.unit!r}.")

    def price(self, rows: int, pictures: int) -> int:
        """Price of a call for so many pictures of so many UNet rows each."""
        return self.call + pictures * (self.picture + rows * self.row)

    def __str__(self) -> str:
        each = {"call": self.call, "picture": self.picture, "row": self.row}
        prices = ", ".join(f"{price} a {name}" for name, price in each.items() if price)
        return f"{prices} ({self.unit})"

    @classmethod
    def named(cls, tariff: Tariff | str) -> Tariff:
        """The tariff of this name, the one that is given, or one in words: "call=2,picture=4".

        Raises:
            UnknownName: if no tariff has this name.
            SettingsError: if a price list in words is none.
        """
        if isinstance(tariff, Tariff):
            return tariff
        if isinstance(tariff, str) and "=" in tariff:
            return cls._read(tariff)
        if tariff not in TARIFFS:
            hint = "A price list of your own is call=2,picture=4,unit=cents."
            raise UnknownName("tariff", str(tariff), TARIFFS, hint)
        return TARIFFS[tariff]

    @classmethod
    def _read(cls, text: str) -> Tariff:
        """Reads "call=2,picture=4,unit=cents"."""
        pairs = [part.partition("=")[::2] for part in text.split(",")]
        told = {name.strip(): value.strip() for name, value in pairs}
        unit = told.pop("unit", cls.unit)
        known = set(told) <= {"call", "picture", "row"}
        if not known or not all(value.isdecimal() for value in told.values()):
            raise SettingsError(
                "Expected prices of a call, a picture or a row in whole numbers, as in "
                f"call=2,picture=4,unit=cents; got {text!r}."
            )
        return cls(**{name: int(value) for name, value in told.items()}, unit=unit)


TARIFFS = {
    "rows": Tariff(row=1, unit="UNet rows"),
    "pictures": Tariff(picture=1, unit="pictures"),
    "calls": Tariff(call=1, unit="calls"),
}
"""Tariffs by name."""
