/** A measured figure, the limit that was measured in the same run, and the aim. */
export interface Figure {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
	/** The value that the machine achieves without stint, measured in the same run. */
	readonly limit?: { readonly name: string; readonly value: number };
	readonly aim?: string;
	/** Whether the aim was met. */
	readonly met?: boolean;
}

/** The value at quantile `q` (0 to 1) of the sample. */
export function quantile(sample: readonly number[], q: number): number {
	const sorted = [...sample].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** The figures as lines of a Markdown table. */
export function table(figures: readonly Figure[]): string {
	const rows = figures.map(({ name, value, unit, limit, aim = '', met }) => {
		const beside = limit ? `${round(limit.value)} ${unit} (${limit.name})` : '';
		const ratio = limit ? (value / limit.value).toFixed(2) : '';
		const verdict = met === undefined ? '' : met ? 'yes' : '**no**';
		return `| ${name} | ${round(value)} ${unit} | ${beside} | ${ratio} | ${aim} | ${verdict} |`;
	});
	return [
		'| figure | value | limit, same run | ratio | aim | met |',
		'|---|---|---|---|---|---|',
		...rows,
	].join('\n');
}

function round(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
