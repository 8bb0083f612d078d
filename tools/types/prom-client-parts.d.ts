/**
 * The types of the modules of prom-client that src/base/metrics.ts imports. The library declares only those
 * of its main module.
 */

declare module 'prom-client/lib/registry.js' {
	import type { Registry } from 'prom-client';

	const part: typeof Registry;
	export default part;
}

declare module 'prom-client/lib/counter.js' {
	import type { Counter } from 'prom-client';

	const part: typeof Counter;
	export default part;
}

declare module 'prom-client/lib/gauge.js' {
	import type { Gauge } from 'prom-client';

	const part: typeof Gauge;
	export default part;
}

declare module 'prom-client/lib/histogram.js' {
	import type { Histogram } from 'prom-client';

	const part: typeof Histogram;
	export default part;
}
