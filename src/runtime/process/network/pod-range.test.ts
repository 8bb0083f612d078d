import assert from 'node:assert/strict';
import test from 'node:test';
import {
	freeRanges,
	gatewayOf,
	type PodRange,
	parseRange,
	podAddress,
	podCountOf,
	podIndex,
	rangeText,
	routedRanges,
} from './pod-range.ts';

function rangeOf(text: string): PodRange {
	const range = parseRange(text);
	assert.ok(range, text);
	return range;
}

test('the first address is that of the bridge, and the last one is for broadcasts', () => {
	const range = rangeOf('10.1.2.8/29');
	const pods = Array.from({ length: podCountOf(range) }, (_, index) => podAddress(range, index));
	assert.equal(gatewayOf(range), '10.1.2.9');
	assert.deepEqual(pods, ['10.1.2.10', '10.1.2.11', '10.1.2.12', '10.1.2.13', '10.1.2.14']);
	assert.deepEqual(
		['10.1.2.8', '10.1.2.9', '10.1.2.10', '10.1.2.14', '10.1.2.15', 'x'].map((ip) => podIndex(range, ip)),
		[undefined, undefined, 0, 4, undefined, undefined],
	);
});

test('a range is an address of a network with a length that leaves room', () => {
	for (const text of ['10.244.0.0/16', '192.168.0.0/29', '10.0.0.0/8'])
		assert.equal(rangeText(rangeOf(text)), text);
	for (const text of [
		'10.244.0.1/16',
		'10.244.0.0/30',
		'10.0.0.0/7',
		'10.244.0/16',
		'10.256.0.0/16',
		'fd00::/64',
		'',
	])
		assert.equal(parseRange(text), undefined, text);
});

test('the wanted range is taken unless the machine has a route into it, or one that holds it', () => {
	const wanted = rangeOf('10.244.0.0/16');
	const first = (...routes: readonly string[]): string =>
		rangeText(freeRanges(wanted, routes.map(rangeOf))[0] ?? wanted);
	assert.equal(first('192.168.1.0/24'), '10.244.0.0/16');
	assert.equal(first('10.244.7.0/24'), '10.245.0.0/16');
	assert.equal(first('10.244.0.0/16', '10.245.0.0/16'), '10.246.0.0/16');
	// A network of a company, all of it.
	assert.equal(first('10.0.0.0/8'), '172.29.0.0/16');
});

test('the routes of the machine are read from the table of the kernel, but for the default one', () => {
	const table = [
		'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
		'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
		'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
		'stint0\t0000F40A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
		'',
	];
	assert.deepEqual(routedRanges(table.join('\n')).map(rangeText), ['192.0.2.0/24', '10.244.0.0/16']);
});
