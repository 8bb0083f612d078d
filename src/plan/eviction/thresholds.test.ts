import assert from 'node:assert/strict';
import test from 'node:test';
import {
	amountText,
	DEFAULT_EVICTION_HARD,
	type Observations,
	parseSoftThresholds,
	parseThresholds,
	ThresholdError,
	thresholdsMet,
	withMinimumReclaim,
} from './thresholds.ts';

const MIB = 2 ** 20;

const INVALID: readonly (readonly [text: string, message: RegExp])[] = [
	['memory.available', /"memory.available" is not of the form signal<value/],
	['memory.available<1<2', /not of the form/],
	['swap.available<1Mi', /unsupported eviction signal swap.available; the signals are memory.available, /],
	['memory.available<abc', /the value of memory.available: quantities must match/],
	['memory.available<-1', /must be positive/],
	['memory.available<0', /must be positive/],
	['nodefs.available<101%', /must be <= 100%/],
	['memory.available<1Mi,memory.available<2Mi', /memory.available is given twice/],
];

for (const [text, message] of INVALID)
	test(`${text} is no list of thresholds`, () => {
		assert.throws(
			() => parseThresholds(text),
			(error) => error instanceof ThresholdError && message.test(error.message),
		);
	});

test('the default has the values of the kubelet', () => {
	assert.deepEqual(parseThresholds(DEFAULT_EVICTION_HARD), [
		{ signal: 'memory.available', value: '100Mi' },
		{ signal: 'nodefs.available', value: '10%' },
		{ signal: 'nodefs.inodesFree', value: '5%' },
	]);
});

test('no text, 0% and 100% turn signals off', () => {
	assert.deepEqual(parseThresholds(''), []);
	assert.deepEqual(parseThresholds('nodefs.available<0%, memory.available<100%,'), []);
});

const MET: readonly { readonly observed: Observations; readonly met: readonly string[] }[] = [
	{ observed: {}, met: [] },
	{ observed: { 'memory.available': { available: 100 * MIB, capacity: 1e12 } }, met: [] },
	{
		observed: { 'memory.available': { available: 100 * MIB - 1, capacity: 1e12 } },
		met: ['memory.available'],
	},
	{ observed: { 'nodefs.available': { available: 100, capacity: 1000 } }, met: [] },
	{
		observed: {
			'nodefs.inodesFree': { available: 49, capacity: 1000 },
			'nodefs.available': { available: 99, capacity: 1000 },
			'memory.available': { available: 1, capacity: 1 },
		},
		met: ['memory.available', 'nodefs.available', 'nodefs.inodesFree'],
	},
];

for (const { observed, met } of MET)
	test(`thresholds met by ${JSON.stringify(observed)}`, () => {
		const found = thresholdsMet(parseThresholds(DEFAULT_EVICTION_HARD).toReversed(), observed, []);
		assert.deepEqual(
			found.map(({ signal }) => signal),
			met,
		);
	});

test('amounts are written as quantities of their kind', () => {
	assert.equal(amountText(100 * MIB, 'BinarySI'), '100Mi');
	assert.equal(amountText(5000, 'DecimalSI'), '5k');
});

test('a threshold that was met needs its minimum reclaim beyond it', () => {
	const thresholds = withMinimumReclaim(
		parseThresholds('memory.available<100,nodefs.available<10%'),
		'nodefs.available=5%, memory.available=50',
	);
	const met = (available: number, before: typeof thresholds): readonly string[] => {
		const supply = { available, capacity: 1000 };
		const observed = { 'memory.available': supply, 'nodefs.available': supply };
		return thresholdsMet(thresholds, observed, before).map(({ signal }) => signal);
	};
	assert.deepEqual(met(100, []), []);
	assert.deepEqual(met(149, thresholds), ['memory.available', 'nodefs.available']);
	assert.deepEqual(met(149, thresholds.slice(1)), ['nodefs.available']);
	assert.deepEqual(met(150, thresholds), []);
});

test('a minimum reclaim may be nothing, and is checked', () => {
	const thresholds = parseThresholds('memory.available<100');
	assert.deepEqual(withMinimumReclaim(thresholds, ''), thresholds);
	assert.deepEqual(withMinimumReclaim(thresholds, 'pid.available=1'), thresholds);
	assert.equal(withMinimumReclaim(thresholds, 'memory.available=0')[0]?.minReclaim, '0');
	for (const [text, message] of [
		['memory.available<1', /is not of the form signal=value, such as memory.available=500Mi/],
		['memory.available=0%', /must be positive/],
		['memory.available=-1', /must be positive/],
	] as const)
		assert.throws(() => withMinimumReclaim(thresholds, text), message);
});

const LIMITS = { gracePeriods: 'memory.available=1m30s, pid.available=1s', maxPodGraceSeconds: 60 };

test('a soft threshold has its grace period', () => {
	assert.deepEqual(parseSoftThresholds('', LIMITS), []);
	assert.deepEqual(parseSoftThresholds('memory.available<1Gi', LIMITS), [
		{ signal: 'memory.available', value: '1Gi', soft: { graceMs: 90_000, maxPodGraceSeconds: 60 } },
	]);
});

test('a soft threshold without a grace period is refused, and grace periods are checked', () => {
	for (const [text, gracePeriods, message] of [
		[
			'nodefs.available<5%',
			LIMITS.gracePeriods,
			/^grace period must be specified for the soft eviction threshold nodefs.available$/,
		],
		['', 'memory.available<1m', /is not of the form signal=value, such as memory.available=1m30s/],
		['', 'memory.available=1', /the value of memory.available: time: missing unit in duration "1"/],
		['', 'memory.available=-1s', /invalid eviction grace period specified: -1s, must be a positive value/],
		['', 'swap.available=1s', /unsupported eviction signal swap.available/],
	] as const)
		assert.throws(() => parseSoftThresholds(text, { ...LIMITS, gracePeriods }), {
			name: 'ThresholdError',
			message,
		});
});

test('a hard threshold is met before a soft one of the same signal, and each has its own minimum reclaim', () => {
	const thresholds = withMinimumReclaim(
		[...parseSoftThresholds('memory.available<200', LIMITS), ...parseThresholds('memory.available<100')],
		'memory.available=50',
	);
	const [soft, hard] = thresholds;
	assert.ok(soft && hard);
	const met = (available: number, before: typeof thresholds) =>
		thresholdsMet(thresholds, { 'memory.available': { available, capacity: 1000 } }, before);
	assert.deepEqual(met(99, []), [hard, soft]);
	assert.deepEqual(met(149, [soft]), [soft]);
	assert.deepEqual(met(149, [hard]), [hard, soft]);
});
