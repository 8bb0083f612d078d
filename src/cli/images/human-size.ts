const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size as Docker prints it (go-units `HumanSize`), in decimal units: `4.27MB`. */
export function humanSize(bytes: number, digits = 3): string {
	let [value, unit] = [bytes, 0];
	for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
	return `${Number(value.toPrecision(digits))}${UNITS[unit]}`;
}
