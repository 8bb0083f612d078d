import type { Clock } from '../base/clock.ts';
import type { CounterSeries, Family, HistogramSeries, Metrics } from '../base/metrics.ts';
import { isWatch } from './dispatch.ts';
import type { ResourceRequest } from './request.ts';

/** Says that a request is over, with the code of its answer; what is said again is not heard. */
export type RequestEnd = (code: number) => void;

/**
 * The metrics of requests for resources by upstream's names and labels (`apiserver_*`), whichever way
 * the requests came. It costs about 2 µs a request.
 */
export class RequestMetrics {
	readonly #clock: Clock;
	readonly #total: Family<CounterSeries>;
	readonly #seconds: Family<HistogramSeries>;
	readonly #inFlight = { mutating: 0, readOnly: 0 };
	/** The watches that are open, by their labels. */
	readonly #open = new Set<readonly string[]>();

	constructor(metrics: Metrics, clock: Clock) {
		this.#clock = clock;
		this.#total = metrics.counter(TOTAL);
		this.#seconds = metrics.histogram(SECONDS);
		metrics.readGauge(IN_FLIGHT, (report) => {
			for (const [kind, count] of Object.entries(this.#inFlight)) report(count, kind);
		});
		metrics.readGauge(LONG_RUNNING, (report) => {
			const counts = new Map<string, { readonly labels: readonly string[]; count: number }>();
			for (const labels of this.#open) {
				const key = labels.join();
				const known = counts.get(key);
				if (known) known.count += 1;
				else counts.set(key, { labels, count: 1 });
			}
			for (const { labels, count } of counts.values()) report(count, ...labels);
		});
	}

	/** A request has come; whoever answers it says when it is over. */
	begin(request: ResourceRequest): RequestEnd {
		const kind = request.call.method === 'GET' ? 'readOnly' : 'mutating';
		const end = this.#time(request);
		this.#inFlight[kind] += 1;
		return (code) => {
			this.#inFlight[kind] -= 1;
			end(code);
		};
	}

	/** A watch is to be opened; the answer to it lasts until it is over. */
	beginWatch(request: ResourceRequest): RequestEnd {
		const end = this.#time(request);
		const labels = labelsOf(request, 'WATCH');
		this.#open.add(labels);
		return (code) => {
			if (this.#open.delete(labels)) end(code);
		};
	}

	#time(request: ResourceRequest): RequestEnd {
		const started = this.#clock.now();
		return (code) => {
			const [verb = '', ...labels] = labelsOf(request, verbOf(request));
			const dryRun = dryRunOf(request);
			this.#total.with(verb, dryRun, ...labels, String(code)).inc();
			this.#seconds.with(verb, dryRun, ...labels).observe((this.#clock.now() - started) / 1000);
		};
	}
}

/** The values of {@link LABEL_NAMES}. */
function labelsOf(request: ResourceRequest, verb: string): readonly string[] {
	const { definition, subresource } = request;
	return [
		verb,
		definition.group,
		definition.version,
		definition.resource,
		subresource,
		scopeOf(request),
		'apiserver',
	];
}

/** What one request is about: one object, those of a namespace, or all. */
function scopeOf({ name, namespace, call }: ResourceRequest): string {
	if (name !== '' || call.method === 'POST') return 'resource';
	return namespace === '' ? 'cluster' : 'namespace';
}

function verbOf(request: ResourceRequest): string {
	const { call, name, subresource } = request;
	if (subresource === 'log') return 'CONNECT';
	if (call.method !== 'GET') return call.method;
	if (isWatch(request)) return 'WATCH';
	return name === '' ? 'LIST' : 'GET';
}

function dryRunOf({ call }: ResourceRequest): string {
	const asked = call.query.text('dryRun');
	return asked === '' || asked === 'All' ? asked : 'invalid';
}

const LABEL_NAMES = ['group', 'version', 'resource', 'subresource', 'scope', 'component'];

const TOTAL = {
	name: 'apiserver_request_total',
	help: 'Requests that were answered; watches once they have ended.',
	labelNames: ['verb', 'dry_run', ...LABEL_NAMES, 'code'],
};

const SECONDS = {
	name: 'apiserver_request_duration_seconds',
	help: 'How long requests took until they were answered; watches until they ended.',
	labelNames: ['verb', 'dry_run', ...LABEL_NAMES],
	buckets: [
		0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
	],
};

const IN_FLIGHT = {
	name: 'apiserver_current_inflight_requests',
	help: 'Requests that are being worked on, watches and logs excepted.',
	labelNames: ['request_kind'],
};

const LONG_RUNNING = {
	name: 'apiserver_longrunning_requests',
	help: 'Watches that are open.',
	labelNames: ['verb', ...LABEL_NAMES],
};
