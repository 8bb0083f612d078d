import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { ContainerUsage, NodeUse, RatedUsage } from '../../src/api/contract/usage.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { apply } from '../../src/cli/commands/apply.ts';
import { type TopPodFlags, topNodes, topPods } from '../../src/cli/commands/top.ts';
import { CliWorld, jobManifest } from './cli-world.ts';

/** `top` against a real API server, with what a node agent would have measured. That kubectl prints the same: test/e2e. */

const MIB = 2 ** 20;

/** A world with the Pods `large` (two containers) and `small` of one Node, and another Node without measurements. */
async function worldWithPods(t: TestContext): Promise<CliWorld> {
	const world = await CliWorld.open(t);
	world.files.set('f.yaml', jobManifest('pi'));
	await world.run((context) => apply(context, { filename: ['f.yaml'] }));
	const job = await world.job('pi');
	const [large, small] = [await world.createPod(job, 'large'), await world.createPod(job, 'small')];
	const use = (podUid = '', name: string, millis: number, mib: number): ContainerUsage & RatedUsage => ({
		...{ id: `${podUid}-${name}`, podUid, name, at: world.clock.now(), windowMs: 15_000 },
		...{ cpuNanoseconds: 0, cpuNanoCores: millis * 1e6, memoryBytes: mib * MIB, workingSetBytes: mib * MIB },
		...{ processes: 1, writableLayerBytes: 0 },
	});
	const containers = [use(large.metadata.uid, 'main', 20.5, 300), use(small.metadata.uid, 'main', 1500, 7)];
	const machine = { ...use('', '', 500, 1024), memoryAvailableBytes: 0 };
	world.usage = async (): Promise<NodeUse> => ({ machine, containers });
	const status = { allocatable: { cpu: '2', memory: '4Gi' }, capacity: { cpu: '4', memory: '8Gi' } };
	const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: {}, status };
	await world.client.resource(nodes).create(node);
	return world;
}

function topOf(world: CliWorld, words: readonly string[] = [], flags: Partial<TopPodFlags> = {}) {
	return world.run((context) => topPods(context, words, { headers: true, ...flags }));
}

test('top pod prints what each Pod uses, sorted by name or by a resource', async (t) => {
	const world = await worldWithPods(t);
	assert.equal(
		(await topOf(world)).stdout,
		'NAME    CPU(cores)   MEMORY(bytes)   \nlarge   21m          300Mi           \nsmall   1500m        7Mi             \n',
	);
	assert.match((await topOf(world, [], { sortBy: 'cpu' })).stdout, /\nsmall .*\nlarge /);
	assert.match((await topOf(world, [], { sortBy: 'memory' })).stdout, /\nlarge .*\nsmall /);
	assert.equal((await topOf(world, ['small'], { headers: false })).stdout, 'small   1500m   7Mi   \n');
});

test('top pod prints namespaces, containers and the sum', async (t) => {
	const world = await worldWithPods(t);
	assert.equal(
		(await topOf(world, [], { allNamespaces: true, containers: true, sum: true })).stdout,
		[
			'NAMESPACE   POD     NAME   CPU(cores)   MEMORY(bytes)   ',
			'default     large   main   21m          300Mi           ',
			'default     small   main   1500m        7Mi             ',
			'                           ________     ________        ',
			'                           1521m        307Mi           ',
			'',
		].join('\n'),
	);
});

test('top pod selects Pods, and reports those without metrics', async (t) => {
	const world = await worldWithPods(t);
	const none = await topOf(world, [], { selector: 'no=such' });
	assert.deepEqual(none, { code: 0, stdout: '', stderr: 'No resources found in default namespace.\n' });
	assert.match(
		(await topOf(world, [], { fieldSelector: 'metadata.name=small' })).stdout,
		/^NAME .*\nsmall .*\n$/,
	);
	const { machine } = await world.usage();
	world.usage = async () => ({ machine, containers: [] });
	assert.equal((await topOf(world)).stderr, 'error: metrics not available yet\n');
	await world.clock.advance(121_000);
	assert.equal(
		(await topOf(world)).stderr,
		'error: Metrics not available for pod default/large, age: 2m1s\n',
	);
	assert.equal(
		(await topOf(world, ['large'])).stderr,
		'Error from server (NotFound): podmetrics.metrics.k8s.io "default/large" not found\n',
	);
});

test('top checks its flags before it sends a request', async (t) => {
	const world = await CliWorld.open(t);
	world.onRequest = () => assert.fail('no request');
	const errors = [
		[await topOf(world, [], { sortBy: 'disk' }), '--sort-by accepts only cpu or memory'],
		[await topOf(world, ['a'], { selector: 'a=b' }), 'only one of NAME or selector can be provided'],
		[await topOf(world, ['a', 'b']), "pod [NAME | -l label]\nSee 'stint top pod -h' for help and examples"],
	] as const;
	for (const [{ code, stderr }, message] of errors)
		assert.deepEqual({ code, stderr }, { code: 1, stderr: `error: ${message}\n` });
});

test('top node prints the share of what the Node has', async (t) => {
	const world = await worldWithPods(t);
	const top = (more: object) => world.run((context) => topNodes(context, [], { headers: true, ...more }));
	assert.equal(
		(await top({})).stdout,
		'NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   \nnode   500m         25%      1024Mi          25%         \n',
	);
	assert.match((await top({ showCapacity: true })).stdout, / 500m +12% +1024Mi +12% /);
	const other = await world.client.resource(nodes).get('node');
	const metadata = { name: 'other' };
	await world.client.resource(nodes).create({ ...other, metadata });
	world.unreachable.add('other');
	assert.match(
		(await top({ sortBy: 'cpu' })).stdout,
		/\nother +<unknown> +<unknown> +<unknown> +<unknown> +\n$/,
	);
});
