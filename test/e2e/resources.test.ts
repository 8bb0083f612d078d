import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { controllersIn, findHierarchies } from '../../src/runtime/process/cgroups/hierarchies.ts';
import type { Finished } from '../support/processes.ts';
import { atLevel, type StintServer, startStint } from '../support/stint-server.ts';

/** Requests, limits, evictions and usage of real processes, seen with real kubectl. */

const canLimit = controllersIn(findHierarchies()).size === 3;
const skip = !canLimit && 'this user may not make control groups';

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

async function podAt(server: StintServer, name: string): Promise<Pod> {
	return JSON.parse(ok(await server.kubectl('get', 'pod', name, '-o', 'json')));
}

/** Creates a Pod that sleeps, with these fields in its container; the end of the test deletes it. */
async function create(
	{ server, t }: { readonly server: StintServer; readonly t: TestContext },
	name: string,
	{ container = {}, spec = {} }: { readonly container?: object; readonly spec?: object },
): Promise<void> {
	const containers = [{ name: 'main', image: 'busybox', command: ['sleep', '600'], ...container }];
	const pod = {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
		spec: { restartPolicy: 'Never', containers, ...spec },
	};
	ok(await server.kubectlWith(JSON.stringify(pod), 'create', '-f', '-'));
	t.after(async () => ok(await server.kubectl('delete', 'pod', name, '--grace-period=1')));
}

test('resources of Pods', async (t) => {
	const server = await startStint(t);
	const wait = async (name: string, condition: string): Promise<string> =>
		ok(await server.kubectl('wait', `--for=${condition}`, '--timeout=60s', `pod/${name}`));

	await t.test('a container beyond its memory limit ends with OOMKilled', { skip }, async (t) => {
		const takes = 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo took';
		await create({ server, t }, 'oom', {
			container: {
				command: ['sh', '-c', `exec sh -c '${takes}'`],
				resources: { limits: { memory: '32Mi' } },
			},
		});
		await wait('oom', 'jsonpath={.status.phase}=Failed');
		const [main] = (await podAt(server, 'oom')).status.containerStatuses ?? [];
		assert.equal(main?.state?.terminated?.reason, 'OOMKilled');
		assert.equal(main.state.terminated.exitCode, 137);
	});

	await t.test('a resize changes the groups of a running container', { skip }, async (t) => {
		await create({ server, t }, 'sized', { container: { resources: { limits: { memory: '64Mi' } } } });
		await wait('sized', 'condition=Ready');
		const resources = { requests: { memory: '128Mi' }, limits: { memory: '128Mi' } };
		const patch = { spec: { containers: [{ name: 'main', resources }] } };
		ok(await server.kubectl('patch', 'pod', 'sized', '--subresource=resize', '-p', JSON.stringify(patch)));
		await wait('sized', 'jsonpath={.status.containerStatuses[0].resources.limits.memory}=128Mi');
		const [main] = (await podAt(server, 'sized')).status.containerStatuses ?? [];
		assert.equal(main?.restartCount, 0);
		// The command is in the group of the container: grep fails if it finds nothing.
		ok(await server.kubectl('exec', 'sized', '--', 'grep', '-q', 'stint/.*main', '/proc/self/cgroup'));
	});

	await t.test('a Pod that fills its emptyDir beyond the limit is evicted', async (t) => {
		await create({ server, t }, 'full', {
			container: {
				command: ['sh', '-c', 'head -c 3000000 /dev/zero >/data/file; exec sleep 600'],
				volumeMounts: [{ name: 'data', mountPath: '/data' }],
			},
			spec: { volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }] },
		});
		await wait('full', 'jsonpath={.status.reason}=Evicted');
		const { phase, message } = (await podAt(server, 'full')).status;
		assert.equal(phase, 'Failed');
		assert.equal(message, 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ');
	});

	await t.test('kubectl top prints what Pods and the Node use, and stint top the same', async (t) => {
		await create({ server, t }, 'busy', { container: { command: ['sh', '-c', 'while :; do :; done'] } });
		await wait('busy', 'condition=Ready');
		const pods = ok(await server.kubectl('top', 'pod', '--no-headers'));
		assert.match(pods, /^busy +[1-9]\d*m +\d+Mi\s*$/m);
		assert.match(ok(await server.kubectl('top', 'node')), /^NAME +CPU\(cores\) +CPU.*\n\S+ +\d+m +\d+% /);
		// Between two commands the numbers change. The headings of Nodes depend on the version of kubectl.
		const shape = ({ stdout, stderr, code }: Finished): string =>
			`exit ${code}\n${`${stdout}${stderr}`.replace(/\d+/g, '0').replace(/ +/g, ' ')}`;
		for (const words of [
			'pod',
			'pod busy --containers',
			'po -A --containers --sum --sort-by=cpu',
			'pods -l none=such',
			'pod nope',
			'pod --sort-by=disk',
			'pod busy -l a=b',
			'node --no-headers',
			'no --no-headers --show-capacity --sort-by memory',
		]) {
			const args = ['top', ...words.split(' ')];
			assert.equal(shape(await server.stint(...args)), shape(await server.kubectl(...args)), words);
		}
	});
});

const isRoot = process.getuid?.() === 0;

test('a server of a user who may make no group', {
	skip: canLimit && !isRoot && 'needs root, to run the server as another user',
}, async (t) => {
	const server = await startStint(t, atLevel(t, 'user'));

	await t.test('reports that limits are not honoured, and that a resize is infeasible', async (t) => {
		const resources = { limits: { memory: '64Mi' }, requests: { memory: '32Mi' } };
		await create({ server, t }, 'free', { container: { resources } });
		ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/free'));
		assert.match(
			ok(await server.kubectl('get', 'events', '--field-selector=reason=NotHonoured')),
			/resources\.limits is not honoured: stint may not make the control groups that enforce limits/,
		);
		const patch = { spec: { containers: [{ name: 'main', resources: { requests: { memory: '16Mi' } } }] } };
		ok(await server.kubectl('patch', 'pod', 'free', '--subresource=resize', '-p', JSON.stringify(patch)));
		ok(await server.kubectl('wait', '--for=condition=PodResizePending', '--timeout=60s', 'pod/free'));
		const [main] = (await podAt(server, 'free')).status.containerStatuses ?? [];
		assert.deepEqual(main?.resources, resources);
	});
});
