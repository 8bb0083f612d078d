import assert from 'node:assert/strict';
import test from 'node:test';
import type { Volume } from '../../../api/core/pod/schema.ts';
import { podWith } from '../testing/pod-with.ts';
import { claimFailure, mountRetryMs } from './mount-events.ts';
import { InputError, type InputValues, needKey } from './values.ts';
import { volumeSetUpOf } from './volume-set-up.ts';

const FACTS = { hostIP: '10.0.0.1', podIP: '', allocatable: { cpu: '4' } };

function bytes(entries: Readonly<Record<string, string>>): ReadonlyMap<string, Uint8Array> {
	return new Map(Object.entries(entries).map(([key, text]) => [key, new TextEncoder().encode(text)]));
}

const DATA: InputValues['data'] = new Map([
	['configMap/settings', bytes({ a: '1', b: '2' })],
	['secret/login', bytes({ password: 'x' })],
	[needKey({ kind: 'serviceAccountToken', audience: '', expirationSeconds: 3600 }), bytes({ token: 'jwt' })],
]);

const POD = podWith(
	{ containers: [{ name: 'c', resources: { limits: { cpu: '1500m' } } }] },
	{ labels: { b: 'say "hi"', a: 'x' } },
);

function setUp(source: object, data = DATA) {
	const volume: Volume = { name: 'v', ...source };
	return volumeSetUpOf(POD, volume, { data, facts: FACTS });
}

/** The files of a volume, as `path mode content`. */
function files(source: object, data = DATA): readonly string[] {
	const made = setUp(source, data);
	assert.equal(made.kind, 'files');
	const textOf = (content: string | Uint8Array): string =>
		typeof content === 'string' ? content : new TextDecoder().decode(content);
	return made.kind === 'files'
		? made.files.map(({ path, mode, content }) => `${path} ${mode.toString(8)} ${textOf(content)}`)
		: [];
}

test('a volume of a ConfigMap or Secret has a file for each key, or for each item', () => {
	assert.deepEqual(files({ configMap: { name: 'settings' } }), ['a 644 1', 'b 644 2']);
	const items = [{ key: 'b', path: 'etc/b.conf', mode: 0o600 }];
	assert.deepEqual(files({ configMap: { name: 'settings', items } }), ['etc/b.conf 600 2']);
	assert.deepEqual(files({ secret: { secretName: 'login', defaultMode: 0o400 } }), ['password 400 x']);
});

test('a missing object or key has upstream’s message, and is left out if it is optional', () => {
	const items = [{ key: 'z', path: 'z' }];
	const wrong: readonly (readonly [object, string])[] = [
		[{ configMap: { name: 'x' } }, 'configmap "x" not found'],
		[{ secret: { secretName: 'x' } }, 'secret "x" not found'],
		[{ configMap: { name: 'settings', items } }, 'configmap references non-existent config key: z'],
		[{ secret: { secretName: 'login', items } }, 'references non-existent secret key: z'],
		[{ projected: { sources: [{ secret: { name: 'y' } }] } }, 'secret "y" not found'],
		[
			{ projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'other' } }] } },
			'failed to fetch token: serviceaccounts "default" not found',
		],
	];
	for (const [source, message] of wrong) {
		assert.throws(
			() => setUp(source),
			(error) => error instanceof InputError && error.message === message,
		);
	}
	assert.deepEqual(files({ configMap: { name: 'x', optional: true, items } }), []);
	assert.deepEqual(files({ secret: { secretName: 'login', optional: true, items } }), []);
});

test('a projected volume combines its sources, and the later of two files with one path counts', () => {
	const sources = [
		{ configMap: { name: 'settings' } },
		{ downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
		{ serviceAccountToken: { path: 'token' } },
		{ secret: { name: 'login', items: [{ key: 'password', path: 'a' }] } },
	];
	assert.deepEqual(files({ projected: { sources, defaultMode: 0o440 } }), [
		'a 440 x',
		'b 440 2',
		'labels 440 a="x"\nb="say \\"hi\\""',
		'token 440 jwt',
	]);
});

test('the downward API writes fields of the Pod and resources of a container', () => {
	const items = [
		{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
		{ path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1m' } },
	];
	assert.deepEqual(files({ downwardAPI: { items } }), ['name 644 p', 'cpu 644 1500']);
});

test('other volumes say what the node must make or mount', () => {
	assert.deepEqual(setUp({ emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }), {
		...{ name: 'v', kind: 'emptyDir', medium: 'Memory', sizeLimitBytes: 1 << 20 },
	});
	assert.equal(setUp({}).kind, 'emptyDir');
	assert.deepEqual(setUp({ hostPath: { path: '/srv', type: 'Directory' } }), {
		...{ name: 'v', kind: 'hostPath', path: '/srv', type: 'Directory', readOnly: false },
	});
	const wrong: readonly (readonly [object, string])[] = [
		[{ nfs: { server: 's', path: '/' } }, 'this node has no driver for nfs volumes'],
		[{ emptyDir: { medium: 'HugePages' } }, 'this node has no emptyDir of medium HugePages'],
	];
	for (const [source, message] of wrong) assert.throws(() => setUp(source), { name: 'InputError', message });
});

test('all failures of a projected volume are in its message, each once', () => {
	const sources = [
		...['x', 'x'].map((name) => ({ configMap: { name } })),
		{ secret: { name: 'login' } },
		{ secret: { name: 'y' } },
	];
	assert.throws(() => setUp({ projected: { sources } }), {
		message: '[configmap "x" not found, secret "y" not found]',
	});
	const bundle = { path: 'ca.pem', name: 'b', optional: true };
	assert.deepEqual(files({ projected: { sources: [{ clusterTrustBundle: bundle }] } }), ['ca.pem 644 ']);
});

test('a token is for the user and the group of the containers, if the Pod names them', () => {
	const volume = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } };
	const token = (securityContext: object, ...containers: readonly object[]) => {
		const pod = podWith({
			securityContext,
			containers: containers.map((own) => ({ name: 'c', securityContext: own })),
		});
		const made = volumeSetUpOf(pod, volume, { data: DATA, facts: FACTS });
		const [file] = made.kind === 'files' ? made.files : [];
		return [file?.mode.toString(8), file?.readers];
	};
	assert.deepEqual(token({}, {}), ['644', undefined]);
	assert.deepEqual(token({ runAsUser: 7 }, {}, {}), ['600', { user: 7 }]);
	assert.deepEqual(token({ runAsUser: 7 }, { runAsUser: 8 }, {}), ['644', undefined]);
	assert.deepEqual(token({}, { runAsUser: 8 }, {}), ['644', undefined]);
	assert.deepEqual(token({ fsGroup: 5 }, {}), ['600', { group: 5 }]);
});

test('the events about volumes are upstream’s', () => {
	assert.equal(
		claimFailure(['v', 'b', 'a'], new Map([['b', 'not bound']])).message,
		'Unable to attach or mount volumes: unmounted volumes=[a b v], unattached volumes=[], failed to process volumes=[b]: not bound',
	);
	assert.deepEqual(
		[1, 2, 3, 20].map((failures) => mountRetryMs(failures, false)),
		[500, 1000, 2000, 122_000],
	);
	assert.equal(mountRetryMs(5, true), 10_000);
});
