import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';

/**
 * Figures about a running process, in the text form that Prometheus scrapes. A component is handed its
 * {@link Metrics}, as it is handed a clock; nothing is registered globally.
 *
 * Here alone prom-client is used, and by its parts: loading all of it takes a start 20 to 40 ms and
 * 17 MB (OpenTelemetry and a digest for summaries come along), these four take 2 ms and 0.3 MB.
 */

/** The media type of {@link Metrics.text}. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What is measured. */
export interface MetricDescription {
	readonly name: string;
	/** One sentence for people. */
	readonly help: string;
	/** What its series differ in; none by default. */
	readonly labelNames?: readonly string[];
}

/** A number of things that happened. */
export interface CounterSeries {
	/** Adds `by`, which is not negative; 1 by default. */
	inc(by?: number): void;
}

/** A distribution of values, such as lengths of time in seconds. */
export interface HistogramSeries {
	observe(value: number): void;
}

/** Gives the value of the series with these labels, in the order of the label names. */
export type Report = (value: number, ...labels: readonly string[]) => void;

/** All metrics of a process, or of a test. A metric is made once; whoever asks for its name again gets the same. */
export class Metrics {
	readonly #registry = new Registry();
	readonly #counters = new Map<string, Family<CounterSeries>>();
	readonly #histograms = new Map<string, Family<HistogramSeries>>();
	readonly #readers = new Map<string, Array<(report: Report) => void>>();
	readonly #writers: Array<() => AsyncIterable<string>> = [];

	/** A counter that is told of each event. */
	counter(description: MetricDescription): Family<CounterSeries> {
		return madeOnce(this.#counters, description.name, () => {
			const counter = new Counter(this.#registered(description));
			return new Family((labels) => {
				const series = counter.labels(...labels);
				series.inc(0);
				return series;
			});
		});
	}

	/** A histogram; `buckets` are the upper bounds, ascending. */
	histogram(
		description: MetricDescription & { readonly buckets: readonly number[] },
	): Family<HistogramSeries> {
		return madeOnce(this.#histograms, description.name, () => {
			const buckets = [...description.buckets];
			const histogram = new Histogram({ ...this.#registered(description), buckets });
			const { labelNames = [] } = description;
			return new Family((labels) => {
				histogram.zero(Object.fromEntries(labelNames.map((name, index) => [name, labels[index]])));
				return histogram.labels(...labels);
			});
		});
	}

	/** A value that goes up and down and is read when the metrics are; each caller reports series of its own. */
	readGauge(description: MetricDescription, read: (report: Report) => void): void {
		const readers = madeOnce(this.#readers, description.name, () => {
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

	/** The same for a total that somebody else keeps and that only grows. */
	readCounter(description: MetricDescription, read: (report: Report) => void): void {
		const readers = madeOnce(this.#readers, description.name, () => {
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
	 * Has `write` add metrics of its own at each scrape, in whole lines and pieces of any size: for values
	 * of so many objects that nothing is to be kept of them here.
	 */
	include(write: () => AsyncIterable<string>): void {
		this.#writers.push(write);
	}

	/** All of them as Prometheus reads them ({@link METRICS_CONTENT_TYPE}), piece by piece. */
	async *pieces(): AsyncIterable<string> {
		yield await this.#registry.metrics();
		for (const write of this.#writers) yield* write();
	}

	/** The same in one. */
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
 * The series of one metric. Finding one costs a look-up by its labels, counting on it 0.2 µs and
 * observing 0.4 µs; a hot path keeps the series that it needs.
 */
export class Family<Series> {
	readonly #make: (labels: readonly string[]) => Series;
	readonly #series = new Map<string, Series>();

	constructor(make: (labels: readonly string[]) => Series) {
		this.#make = make;
	}

	/** The series with these labels, in the order of the label names; it is there, at zero, from now on. */
	with(...labels: readonly string[]): Series {
		return madeOnce(this.#series, labels.join('\0'), () => this.#make(labels));
	}
}

/** `count` bucket bounds, the first `start`, each `factor` times the one before, rounded as upstream's are. */
export function exponentialBuckets(start: number, factor: number, count: number): readonly number[] {
	const bounds: number[] = [];
	for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound);
	return bounds;
}

function madeOnce<T>(made: Map<string, T>, key: string, make: () => T): T {
	let found = made.get(key);
	if (found === undefined) {
		found = make();
		made.set(key, found);
	}
	return found;
}
