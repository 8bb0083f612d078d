import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { podEnds } from '../support/pod-ends.ts';
import { temporaryFolder } from '../support/processes.ts';
import { asOrdinaryUser, type StintServer, startStint, UNPRIVILEGED_ID } from '../support/stint-server.ts';

/**
 * Each kind of volume, in containers of the process runtime: real programs write to standard output what they find at the
 * path where the volume is mounted.
 */

/** The mount path. It does not exist on the machine, and must not after the test. */
const AT = '/stint-e2e/data';

interface VolumeCase {
	readonly name: string;
	/** The volume, without its name. */
	readonly volume: object;
	/** More fields of its mount. */
	readonly mount?: object;
	/** More fields of the container, and of the Pod. */
	readonly container?: object;
	readonly spec?: object;
	readonly script: string;
	readonly output: string;
}

/** The cases; `host` is a folder of the machine with the file `f`. */
function casesIn(host: string): readonly VolumeCase[] {
	const sources = [
		{ configMap: { name: 'settings', items: [{ key: 'a', path: 'etc/a' }] } },
		{ downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
		{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
	];
	const writer = {
		...{ name: 'writer', image: 'busybox', volumeMounts: [{ name: 'v', mountPath: AT }] },
		command: ['sh', '-c', `echo "A='from file'" > ${AT}/app.env`],
	};
	const fromFile = { name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'app.env', key: 'A' } } };
	const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
	return [
		{
			...{ name: 'empty-dir', volume: { emptyDir: {} } },
			...{ script: `stat -c %a ${AT}; echo x > ${AT}/f; cat ${AT}/f`, output: '777\nx' },
		},
		{
			...{ name: 'memory', volume: { emptyDir: { medium: 'Memory' } } },
			...{ script: `stat -f -c %T ${AT}`, output: 'tmpfs' },
		},
		{
			...{
				name: 'host-path',
				volume: { hostPath: { path: host, type: 'Directory' } },
				mount: { readOnly: true },
			},
			...{
				script: `cat ${AT}/f; touch ${AT}/g 2>/dev/null || echo read-only`,
				output: 'of the host\nread-only',
			},
		},
		{
			...{ name: 'host-file', volume: { hostPath: { path: join(host, 'f'), type: 'File' } } },
			...{ script: `cat ${AT}`, output: 'of the host' },
		},
		{
			...{ name: 'config-map', volume: { configMap: { name: 'settings', defaultMode: 0o440 } } },
			...{ script: `cat ${AT}/a; echo; stat -L -c %a ${AT}/a; readlink ${AT}/a`, output: '1\n440\n..data/a' },
		},
		{
			...{ name: 'secret', volume: { secret: { secretName: 'login' } } },
			...{ script: `cat ${AT}/password; echo; stat -f -c %T ${AT}`, output: 'hidden\ntmpfs' },
		},
		{
			...{ name: 'projected', volume: { projected: { sources } }, spec: { serviceAccountName: 'default' } },
			script: `cat ${AT}/etc/a; echo; cat ${AT}/labels; echo; cut -d. -f1 ${AT}/token | head -c 3`,
			output: '1\nkind="projected"\nuntil="succeeds"\neyJ',
		},
		{
			...{ name: 'sub-path', volume: { emptyDir: {} }, mount: { subPathExpr: 'a/$(NAME)' } },
			container: { env: [{ name: 'NAME', value: 'b' }] },
			...{ script: `echo deep > ${AT}/f; cat /stint-e2e/whole/a/b/f`, output: 'deep' },
		},
		{
			...{ name: 'nested', volume: { configMap: { name: 'settings' } } },
			container: {
				volumeMounts: [
					{ name: 'w', mountPath: `${AT}/cache` },
					{ name: 'v', mountPath: AT },
				],
			},
			...{ script: `cat ${AT}/a; echo; echo y > ${AT}/cache/f && cat ${AT}/cache/f`, output: '1\ny' },
		},
		{
			...{ name: 'env-file', volume: { emptyDir: {} }, spec: { initContainers: [writer] } },
			...{ container: { env: [fromFile] }, script: 'echo "$A"', output: 'from file' },
		},
		{
			...{ name: 'claim', volume: { persistentVolumeClaim: { claimName: 'data' } } },
			...{ script: `echo kept > ${AT}/f; cat ${AT}/f`, output: 'kept' },
		},
		{
			...{ name: 'ephemeral', volume: { ephemeral: { volumeClaimTemplate: { spec: claimSpec } } } },
			...{ script: `echo own > ${AT}/f; cat ${AT}/f`, output: 'own' },
		},
	];
}

function podOf({ name, volume, mount, container, spec, script }: VolumeCase): object {
	const volumeMounts = [
		{ name: 'v', mountPath: AT, ...mount },
		...(mount ? [{ name: 'v', mountPath: '/stint-e2e/whole' }] : []),
	];
	const main = { name: 'main', image: 'busybox', command: ['sh', '-c', script], volumeMounts, ...container };
	const volumes = [
		{ name: 'v', ...volume },
		{ name: 'w', emptyDir: {} },
	];
	return {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { kind: name, until: 'succeeds' } } },
		spec: { restartPolicy: 'Never', containers: [main], volumes, ...spec },
	};
}

const OBJECTS: readonly object[] = [
	{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: '1' } },
	{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: { password: 'hidden' } },
	{
		...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } },
		spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
	},
];

async function checkVolumes(t: TestContext, server: StintServer, host: string): Promise<void> {
	const cases = casesIn(host);
	const items = [...OBJECTS, ...cases.map(podOf)];
	const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
	const applied = await server.kubectlWith(list, 'apply', '-f', '-');
	assert.equal(applied.code, 0, applied.stderr);
	assert.doesNotMatch(applied.stderr, /cannot mount volumes/);
	const ends = await podEnds(server);
	for (const { name, output } of cases) {
		await t.test(name, () => {
			const end = ends.get(name);
			assert.ok(end);
			assert.equal(end.phase, 'Succeeded', end.status);
			assert.equal(end.log, output);
		});
	}
	await t.test('live update', () => checkLiveUpdate(server));
	assert.equal(existsSync('/stint-e2e'), false, 'the volumes are in the private mount namespace only');
}

/** The files of a running container follow the object, but not a file that is mounted by its sub-path. */
async function checkLiveUpdate(server: StintServer): Promise<void> {
	const script = `echo up; until [ "$(cat ${AT}/a)" = 2 ]; do sleep 0.05; done; cat ${AT}/a /stint-e2e/whole`;
	const pod = podOf({
		...{ name: 'live', script, output: '', volume: { configMap: { name: 'live' } } },
		container: {
			volumeMounts: [
				{ name: 'v', mountPath: AT },
				{ name: 'v', mountPath: '/stint-e2e/whole', subPath: 'a' },
			],
		},
	});
	const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'live' }, data: { a: '1' } };
	const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [settings, pod] });
	await server.kubectlWith(list, 'apply', '-f', '-');
	await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/live');
	await server.kubectl('logs', '-f', '--limit-bytes=3', 'live');
	await server.kubectl('patch', 'configmap', 'live', '-p', '{"data": {"a": "2"}}');
	const ended = ['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/live'];
	assert.equal((await server.kubectl(...ended)).code, 0);
	assert.equal((await server.kubectl('logs', 'live')).stdout, 'up\n21');
}

/** A folder of the machine for hostPath volumes. */
function hostFolder(t: TestContext): string {
	const folder = join(temporaryFolder(t), 'host');
	mkdirSync(folder);
	writeFileSync(join(folder, 'f'), 'of the host\n');
	return folder;
}

test('containers find their volumes', async (t) => {
	const server = await startStint(t);
	await checkVolumes(t, server, hostFolder(t));
});

test('containers of an ordinary user find their volumes', {
	skip: process.geteuid?.() === 0 ? false : 'needs root',
}, async (t) => {
	const host = hostFolder(t);
	for (const path of [host, join(host, '..'), join(host, 'f')])
		chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
	const server = await startStint(t, asOrdinaryUser(t));
	await checkVolumes(t, server, host);
});
