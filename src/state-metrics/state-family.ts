/**
 * Metrics that describe API objects, generated from the informers' caches at each scrape.
 *
 * 1. Nothing is kept from one scrape to the next. Upstream keeps the rendered text of every object, which makes
 *    scrapes cheaper but costs memory all the time and work at each change.
 * 2. The text of all objects (12 MB for 10,000 Jobs) is never in memory as a whole.
 * 3. Each object is read once per scrape, because reading one may decode it. Its samples are kept as numbers
 *    until their family is written.
 */

import { timeOf } from '../api/meta/time.ts';
import { approximate, type Int64 } from '../base/json/json.ts';

/** Adds one sample: its value, and its labels apart from those that identify the object. */
export type Sample = (value: number, labels?: Readonly<Record<string, string>>) => void;

/** A gauge that has samples for each object of one kind. */
export interface StateFamily<T> {
	readonly name: string;
	/** The text of the HELP line. */
	readonly help: string;
	/** Adds the samples of one object; none if the object lacks the field that the gauge shows. */
	read(object: T, sample: Sample): void;
}

/** The input of {@link writeFamilies}: families, and the objects of their kind. */
export interface StateSource<T> {
	readonly families: readonly StateFamily<T>[];
	readonly objects: AsyncIterable<T>;
	/** The labels that identify an object: its namespace and name. */
	labels(object: T): Readonly<Record<string, string>>;
}

/**
 * Minimum length of a chunk in characters; the last chunk of a family may be shorter. Smaller chunks would cost
 * a write to the socket each.
 */
const PIECE_LENGTH = 64 * 1024;

/** The samples of one family. */
interface Samples {
	/** For each sample, the index of its object in the list of names. */
	readonly owners: number[];
	readonly values: number[];
	/** For each sample, its own labels in text form, with a leading comma; empty if it has none. */
	readonly labels: string[];
}

/**
 * Yields the families one after the other in the Prometheus text format, in chunks of whole lines. The format
 * requires all samples of a family to be contiguous, so all objects are read before the first chunk is yielded.
 */
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

/** Adds the value as a double, the only number type of Prometheus. Adds nothing if it is undefined. */
export function addNumber(value: Int64 | undefined, sample: Sample): void {
	if (value !== undefined) sample(approximate(value));
}

/** Adds the time in whole seconds since the Unix epoch. Adds nothing if it is undefined or cannot be parsed. */
export function addTime(time: string | undefined, sample: Sample): void {
	const ms = timeOf(time);
	if (ms !== undefined) sample(Math.floor(ms / 1000));
}

function labelText(labels: Readonly<Record<string, string>>): string {
	const parts: string[] = [];
	for (const name in labels) parts.push(`${name}="${escaped(labels[name] ?? '')}"`);
	return parts.join(',');
}

/** Escapes a label value; the test first, because values that need escaping are rare. */
function escaped(value: string): string {
	return /[\\"\n]/.test(value) ? value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n') : value;
}
