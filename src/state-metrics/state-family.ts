import { timeOf } from '../api/meta/time.ts';
import { approximate, type Int64 } from '../base/json.ts';

/**
 * Metrics about objects, written from the objects themselves at each scrape. Nothing is kept of an object
 * from one scrape to the next, and the text of 10,000 Jobs (12 MB) is never in memory whole: each object
 * is read once, since reading one may mean decoding it, and its samples wait as numbers.
 */

/** Gives one sample: its value, and what its labels are beside those that name the object. */
export type Sample = (value: number, labels?: Readonly<Record<string, string>>) => void;

/** A gauge with samples for each object of a kind. */
export interface StateFamily<T> {
	readonly name: string;
	/** One sentence for people. */
	readonly help: string;
	/** Gives the samples of one object; none where the object does not have what the gauge shows. */
	read(object: T, sample: Sample): void;
}

/** What {@link writeFamilies} writes. */
export interface StateSource<T> {
	readonly families: readonly StateFamily<T>[];
	readonly objects: AsyncIterable<T>;
	/** The labels that name an object. */
	labels(object: T): Readonly<Record<string, string>>;
}

/** How long a piece is at least, the last of a family excepted: enough that a socket has something to do. */
const PIECE_LENGTH = 64 * 1024;

/** The samples of one family. */
interface Samples {
	/** Index of the object in the list of names. */
	readonly owners: number[];
	readonly values: number[];
	/** The labels beside those that name the object, as text; empty for none. */
	readonly labels: string[];
}

/** Writes family after family, as Prometheus wants them, in pieces of whole lines. */
export async function* writeFamilies<T>({
	families,
	objects,
	labels,
}: StateSource<T>): AsyncGenerator<string, void> {
	const names: string[] = [];
	const read = families.map((): Samples => ({ owners: [], values: [], labels: [] }));
	for await (const object of objects) {
		for (const [index, family] of families.entries()) {
			family.read(object, (value, more) => {
				read[index]?.owners.push(names.length);
				read[index]?.values.push(value);
				read[index]?.labels.push(more ? `,${labelText(more)}` : '');
			});
		}
		names.push(labelText(labels(object)));
	}
	for (const [index, { name, help }] of families.entries()) {
		const samples = read[index];
		if (samples)
			yield* writeFamily(`# HELP ${name} ${help}\n# TYPE ${name} gauge\n`, name, { samples, names });
	}
}

function* writeFamily(
	head: string,
	name: string,
	{ samples, names }: { readonly samples: Samples; readonly names: readonly string[] },
): Iterable<string> {
	let text = head;
	for (const [index, value] of samples.values.entries()) {
		const own = names[samples.owners[index] ?? 0] ?? '';
		text += `${name}{${own}${samples.labels[index] ?? ''}} ${value}\n`;
		if (text.length < PIECE_LENGTH) continue;
		yield text;
		text = '';
	}
	yield text;
}

/** The value as Prometheus has numbers, as a double, if there is one. */
export function known(value: Int64 | undefined, sample: Sample): void {
	if (value !== undefined) sample(approximate(value));
}

/** The instant in whole seconds, if there is one. */
export function seconds(time: string | undefined, sample: Sample): void {
	const ms = timeOf(time);
	if (ms !== undefined) sample(Math.floor(ms / 1000));
}

function labelText(labels: Readonly<Record<string, string>>): string {
	const parts: string[] = [];
	for (const name in labels) parts.push(`${name}="${escaped(labels[name] ?? '')}"`);
	return parts.join(',');
}

function escaped(value: string): string {
	return /[\\"\n]/.test(value) ? value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n') : value;
}
