import assert from 'node:assert/strict';
import test from 'node:test';
import { exponentialBuckets, Metrics } from './metrics.ts';

const RUNS = { name: 'runs_total', help: 'How often it ran.', labelNames: ['mode', 'result'] };

test('a counter counts each of its series', async () => {
	const metrics = new Metrics();
	const runs = metrics.counter(RUNS);
	runs.with('Indexed', 'success').inc();
	runs.with('Indexed', 'success').inc(2);
	runs.with('Indexed', 'error').inc();
	assert.equal(
		await metrics.text(),
		`# HELP runs_total How often it ran.
# TYPE runs_total counter
runs_total{mode="Indexed",result="success"} 3
runs_total{mode="Indexed",result="error"} 1
`,
	);
});

test('a metric without labels has a series from the start, a labelled series exists from its first look-up', async () => {
	const metrics = new Metrics();
	const lines = async (): Promise<readonly string[]> =>
		(await metrics.text()).split('\n').filter((line) => /^[^#]/.test(line));
	metrics.counter({ name: 'starts_total', help: 'Starts.' });
	const runs = metrics.counter(RUNS);
	const seconds = metrics.histogram({ name: 'seconds', help: 'Length.', labelNames: ['of'], buckets: [1] });
	assert.deepEqual(await lines(), ['starts_total 0']);
	runs.with('Indexed', 'error');
	seconds.with('x');
	assert.deepEqual(await lines(), [
		'starts_total 0',
		'runs_total{mode="Indexed",result="error"} 0',
		'seconds_bucket{le="1",of="x"} 0',
		'seconds_bucket{le="+Inf",of="x"} 0',
		'seconds_sum{of="x"} 0',
		'seconds_count{of="x"} 0',
	]);
});

test('a histogram counts each value in its buckets', async () => {
	const metrics = new Metrics();
	const seconds = metrics.histogram({
		name: 'seconds',
		help: 'Length.',
		labelNames: ['of'],
		buckets: [1, 2],
	});
	for (const value of [0.5, 1, 1.5, 9]) seconds.with('x').observe(value);
	const lines = (await metrics.text()).split('\n').slice(2);
	assert.deepEqual(lines, [
		'seconds_bucket{le="1",of="x"} 2',
		'seconds_bucket{le="2",of="x"} 3',
		'seconds_bucket{le="+Inf",of="x"} 4',
		'seconds_sum{of="x"} 12',
		'seconds_count{of="x"} 4',
		'',
	]);
});

test('two calls with the same name return the same metric', async () => {
	const metrics = new Metrics();
	metrics.counter(RUNS).with('a', 'b').inc();
	metrics.counter(RUNS).with('a', 'b').inc();
	assert.match(await metrics.text(), /^runs_total\{mode="a",result="b"\} 2$/m);
});

test('the readers of a gauge or counter are called at each scrape, and each reports its own series', async () => {
	const metrics = new Metrics();
	const depths = new Map([
		['job', 3],
		['cronjob', 1],
	]);
	const depth = { name: 'depth', help: 'Depth.', labelNames: ['name'] };
	metrics.readGauge(depth, (report) => {
		const value = depths.get('job');
		if (value !== undefined) report(value, 'job');
	});
	metrics.readGauge(depth, (report) => report(depths.get('cronjob') ?? 0, 'cronjob'));
	metrics.readCounter({ name: 'cpu_total', help: 'CPU.' }, (report) => report(7));
	assert.match(await metrics.text(), /^depth\{name="job"\} 3\ndepth\{name="cronjob"\} 1$/m);
	depths.delete('job');
	const later = await metrics.text();
	assert.doesNotMatch(later, /name="job"/);
	assert.match(later, /^cpu_total 7$/m);
});

test('included lines follow the metrics of the registry', async () => {
	const metrics = new Metrics();
	metrics.counter({ name: 'starts_total', help: 'Starts.' });
	let scrapes = 0;
	metrics.include(async function* () {
		scrapes += 1;
		yield `scrapes ${scrapes}\n`;
		yield 'end 1\n';
	});
	assert.match(await metrics.text(), /^starts_total 0\nscrapes 1\nend 1\n$/m);
	assert.match(await metrics.text(), /^starts_total 0\nscrapes 2\nend 1\n$/m);
});

test('label values are escaped', async () => {
	const metrics = new Metrics();
	metrics.counter(RUNS).with('a"b\\c\nd', '').inc();
	assert.match(await metrics.text(), /^runs_total\{mode="a\\"b\\\\c\\nd",result=""\} 1$/m);
});

test('exponential buckets are those of upstream, to the last digit', () => {
	assert.deepEqual(exponentialBuckets(0.004, 2, 4), [0.004, 0.008, 0.016, 0.032]);
	assert.deepEqual(
		exponentialBuckets(10e-9, 10, 5),
		[1e-8, 1e-7, 1e-6, 9.999999999999999e-6, 9.999999999999999e-5],
	);
});
