import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

const CLASSES = '/apis/node.k8s.io/v1/runtimeclasses';

async function open(fields: object = {}) {
	const { server } = await openTestServer();
	const body = { metadata: { name: 'fast' }, handler: 'fast', ...fields };
	await server.request({ method: 'POST', path: CLASSES, body });
	return async (spec: object): Promise<Pod> => {
		const containers = [{ name: 'main', image: 'busybox' }];
		const pod = { ...podNamed('p'), spec: { containers, ...spec } };
		return (await server.request({ method: 'POST', path: PODS, body: pod })).object as Pod;
	};
}

const PREFIX = 'pods "p" is forbidden: ';

test('a Pod that names a missing RuntimeClass is rejected', async () => {
	const create = await open();
	const { code, message } = await refusal(create({ runtimeClassName: 'x' }));
	assert.deepEqual([code, message], [403, `${PREFIX}pod rejected: RuntimeClass "x" not found`]);
});

test('the overhead of the class is set, and another one is rejected', async () => {
	const create = await open({ overhead: { podFixed: { cpu: '100m' } } });
	const without = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
	assert.equal((await refusal(create({ overhead: { cpu: '100m' } }))).message, PREFIX + without);
	const other = create({ runtimeClassName: 'fast', overhead: { cpu: '1' } });
	const differs = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
	assert.equal((await refusal(other)).message, PREFIX + differs);
	assert.deepEqual((await create({ runtimeClassName: 'fast' })).spec.overhead, { cpu: '100m' });
});

test('the labels and tolerations of the class are added to those of the Pod', async () => {
	const toleration = { key: 'k', operator: 'Exists', effect: 'NoSchedule' };
	const create = await open({ scheduling: { nodeSelector: { a: 'b' }, tolerations: [toleration] } });
	const conflict = 'conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c';
	const wrong = create({ runtimeClassName: 'fast', nodeSelector: { a: 'c' } });
	assert.equal((await refusal(wrong)).message, PREFIX + conflict);
	const narrow = { key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' };
	const spec = { runtimeClassName: 'fast', nodeSelector: { c: 'd' }, tolerations: [narrow] };
	const pod = await create(spec);
	assert.deepEqual(pod.spec.nodeSelector, { c: 'd', a: 'b' });
	assert.deepEqual(
		pod.spec.tolerations?.filter(({ key }) => key === 'k'),
		[toleration],
	);
});
