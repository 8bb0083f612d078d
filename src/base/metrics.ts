/**
 * Metrics of a running process, in the text format that Prometheus scrapes. A component receives its
 * {@link Metrics} as a constructor argument, like its clock; no registry is global, so tests cannot disturb
 * each other.
 *
 * This is the only file that imports prom-client, and it imports single modules of it: loading the whole
 * package adds 20 to 40 ms and 17 MB to a start (it loads OpenTelemetry and a digest for summaries); the
 * four modules here add 2 ms and 0.3 MB.
 */

import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';

/** The media type of {@link Metrics.text}. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Name, help text and labels of a metric. */
export interface MetricDescription {
	readonly name: string;
	/** One sentence about the meaning and the unit, shown as the metric's HELP. */
	readonly help: string;
	/** The names of its labels; none by default. */
	readonly labelNames?: readonly string[];
}

/** A total that only grows, for one combination of label values. */
export interface CounterSeries {
	/** Adds `by`, which is not negative; 1 by default. */
	inc(by?: number): void;
}

/** A distribution of values, such as durations in seconds, for one combination of label values. */
export interface HistogramSeries {
	/** Adds one value to the distribution. */
	observe(value: number): void;
}

/** Sets the value of the series with these label values, in the order of the label names. */
export type Report = (value: number, ...labels: readonly string[]) => void;

/**
 * All metrics of a process, or of a test. The first call with a name creates the metric; later calls with
 * the same name return the same metric, so that several components can share one.
 */
export class Metrics {
	readonly #registry = new Registry();
	readonly #counters = new Map<string, Family<CounterSeries>>();
	readonly #histograms = new Map<string, Family<HistogramSeries>>();
	readonly #readers = new Map<string, Array<(report: Report) => void>>();
	readonly #writers: Array<() => AsyncIterable<string>> = [];

	/** A counter that its owner increments at each event. */
	counter(description: MetricDescription): Family<CounterSeries> {
		return getOrCreate(this.#counters, description.name, () => {
			const counter = new Counter(this.#registered(description));
			return new Family((labels) => {
				const series = counter.labels(...labels);
				series.inc(0);
				return series;
			});
		});
	}

	/** A histogram; `buckets` are the upper bounds in ascending order. */
	histogram(
		description: MetricDescription & { readonly buckets: readonly number[] },
	): Family<HistogramSeries> {
		return getOrCreate(this.#histograms, description.name, () => {
			const buckets = [...description.buckets];
			const histogram = new Histogram({ ...this.#registered(description), buckets });
			const { labelNames = [] } = description;
			return new Family((labels) => {
				histogram.zero(Object.fromEntries(labelNames.map((name, index) => [name, labels[index]])));
				return histogram.labels(...labels);
			});
		});
	}

	/**
	 * A gauge whose value `read` reports at each scrape. Several callers may add readers to one gauge; each
	 * must report series of its own, since a later value replaces an earlier one of the same labels.
	 */
	readGauge(description: MetricDescription, read: (report: Report) => void): void {
		const readers = getOrCreate(this.#readers, description.name, () => {
			const made: Array<typeof read> = [];
			const gauge = new Gauge({
				...this.#registered(description),
				collect: () => {
					gauge.reset();
					for (const each of made) each((value, ...labels) => gauge.labels(...labels).set(value));
				},
			});
			return made;
		});
		readers.push(read);
	}

	/**
	 * A counter whose total the caller keeps and `read` reports at each scrape. Values that several readers
	 * report for the same labels are added.
	 */
	readCounter(description: MetricDescription, read: (report: Report) => void): void {
		const readers = getOrCreate(this.#readers, description.name, () => {
			const made: Array<typeof read> = [];
			const counter = new Counter({
				...this.#registered(description),
				collect: () => {
					counter.reset();
					for (const each of made) each((value, ...labels) => counter.labels(...labels).inc(value));
				},
			});
			return made;
		});
		readers.push(read);
	}

	/**
	 * Appends the lines that `write` yields to each scrape. `write` yields whole lines, in pieces of any size.
	 * For metrics of every object in the cluster: keeping a series for each of them here would take memory
	 * all the time.
	 */
	include(write: () => AsyncIterable<string>): void {
		this.#writers.push(write);
	}

	/** All metrics in the text format ({@link METRICS_CONTENT_TYPE}), in pieces. */
	async *pieces(): AsyncIterable<string> {
		yield await this.#registry.metrics();
		for (const write of this.#writers) yield* write();
	}

	/** All metrics as one string. */
	async text(): Promise<string> {
		let text = '';
		for await (const piece of this.pieces()) text += piece;
		return text;
	}

	#registered({ name, help, labelNames = [] }: MetricDescription): RegisteredDescription {
		return { name, help, labelNames, registers: [this.#registry] };
	}
}

interface RegisteredDescription {
	readonly name: string;
	readonly help: string;
	readonly labelNames: readonly string[];
	readonly registers: InstanceType<typeof Registry>[];
}

/**
 * The series of one metric. `with` looks a series up by its label values; incrementing a counter then
 * takes 0.2 µs and observing a value 0.4 µs. Code on a hot path keeps the series instead of looking it up
 * again.
 */
export class Family<Series> {
	readonly #make: (labels: readonly string[]) => Series;
	readonly #series = new Map<string, Series>();

	constructor(make: (labels: readonly string[]) => Series) {
		this.#make = make;
	}

	/**
	 * The series with these label values, in the order of the label names. The first call creates it with
	 * the value 0, so that a scrape shows it before the first event: `rate()` misses the first increment of
	 * a series that appears with it.
	 */
	with(...labels: readonly string[]): Series {
		return getOrCreate(this.#series, labels.join('\0'), () => this.#make(labels));
	}
}

/**
 * `count` bucket bounds: the first is `start`, each other `factor` times the one before. Multiplied step by
 * step as in client_golang's ExponentialBuckets, so that the rounded values are equal to upstream's.
 */
export function exponentialBuckets(start: number, factor: number, count: number): readonly number[] {
	const bounds: number[] = [];
	for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound);
	return bounds;
}

function getOrCreate<T>(made: Map<string, T>, key: string, make: () => T): T {
	let found = made.get(key);
	if (found === undefined) {
		found = make();
		made.set(key, found);
	}
	return found;
}
