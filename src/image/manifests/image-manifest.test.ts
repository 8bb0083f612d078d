import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DigestError, DigestVerifier, digestOf, isDigest, parseDigest } from '../digest.ts';
import { MAX_MANIFEST_BYTES, ManifestError } from './document.ts';
import { checkLayerCount, readImageConfig } from './image-config.ts';
import {
	checkRunnable,
	chooseManifest,
	type ImageIndex,
	type ImageManifest,
	offeredPlatforms,
	readManifest,
} from './image-manifest.ts';
import { bareMediaType, compressionOf, layerTypeOf, MEDIA_TYPES } from './media-types.ts';

const DIGEST = digestOf('x');

function bytesOf(value: unknown): Uint8Array {
	return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
}

function descriptor(mediaType: string, more: object = {}): object {
	return { mediaType, digest: DIGEST, size: 1, ...more };
}

const MANIFEST = {
	schemaVersion: 2,
	mediaType: MEDIA_TYPES.manifest,
	config: descriptor(MEDIA_TYPES.config),
	layers: [descriptor(MEDIA_TYPES.gzipLayer), descriptor(MEDIA_TYPES.zstdLayer)],
};

function index(...platforms: (object | undefined)[]): ImageIndex {
	const manifests = platforms.map((platform, at) => ({
		mediaType: MEDIA_TYPES.manifest,
		digest: digestOf(String(at)),
		size: 2,
		...(platform && { platform }),
	}));
	const read = readManifest(bytesOf({ schemaVersion: 2, manifests }), MEDIA_TYPES.index);
	assert.ok(read.kind === 'index');
	return read;
}

function manifest(value: unknown = MANIFEST, mediaType?: string): ImageManifest {
	const read = readManifest(bytesOf(value), mediaType);
	assert.ok(read.kind === 'manifest');
	return read;
}

function rejects(value: unknown, message: RegExp | string, mediaType?: string): void {
	assert.throws(() => readManifest(bytesOf(value), mediaType), { name: 'ManifestError', message });
}

describe('readManifest', () => {
	test('reads manifests of OCI and of Docker', () => {
		assert.equal(manifest().layers.length, 2);
		assert.equal(manifest().config.digest, DIGEST);
		const docker = { ...MANIFEST, mediaType: MEDIA_TYPES.dockerManifest };
		assert.equal(manifest(docker, MEDIA_TYPES.dockerManifest).mediaType, MEDIA_TYPES.dockerManifest);
		assert.equal(manifest({ ...MANIFEST, mediaType: undefined }).mediaType, MEDIA_TYPES.manifest);
		assert.equal(manifest(MANIFEST, 'application/json').kind, 'manifest');
		assert.deepEqual(manifest({ ...MANIFEST, annotations: { a: 'b' }, layers: null }).layers, []);
	});

	test('rejects documents that are two things at once, as containerd does', () => {
		rejects({ ...MANIFEST, manifests: [] }, /^media-type: expected manifest but found index \(/);
		rejects(
			{ ...MANIFEST, mediaType: undefined },
			`media-type: expected index but found manifest (${MEDIA_TYPES.index})`,
			MEDIA_TYPES.index,
		);
		rejects(MANIFEST, /expected index but found manifest/, MEDIA_TYPES.dockerList);
	});

	test('rejects schema 1, other kinds of documents and malformed fields', () => {
		rejects({ schemaVersion: 1, fsLayers: [] }, 'media-type: schema 1 not supported');
		rejects({ ...MANIFEST, schemaVersion: 3 }, 'manifest: schemaVersion is not 2');
		rejects({ ...MANIFEST, mediaType: 'text/html' }, /^unexpected media type text\/html/);
		rejects('[]', 'manifest: not a JSON object');
		rejects('{', /^manifest: unexpected end of JSON input/);
		rejects(
			{ ...MANIFEST, config: descriptor(MEDIA_TYPES.config, { size: -1 }) },
			/size is not a whole number/,
		);
		rejects(
			{ ...MANIFEST, layers: [descriptor('x', { digest: '../../etc' })] },
			'manifest: layers[0]: digest "../../etc" is not a digest',
		);
		rejects({ ...MANIFEST, layers: {} }, 'manifest: layers is not a list');
		rejects({ ...MANIFEST, config: { digest: DIGEST, size: 1 } }, /config: mediaType is missing/);
	});

	test('limits bytes, depth and layers', () => {
		rejects(`"${'x'.repeat(MAX_MANIFEST_BYTES)}"`, /exceed the maximum/);
		rejects(`{"a":${'['.repeat(5000)}`, /depth|nest/i);
		rejects({ ...MANIFEST, layers: Array(128).fill(descriptor(MEDIA_TYPES.layer)) }, /the maximum is 127/);
		assert.equal(
			manifest({ ...MANIFEST, layers: Array(127).fill(descriptor(MEDIA_TYPES.layer)) }).layers.length,
			127,
		);
	});

	test('throws nothing but ManifestError, whatever the bytes', () => {
		const fields = fc.constantFrom('config', 'layers', 'manifests', 'mediaType', 'digest', 'size', 'urls');
		fc.assert(
			fc.property(fc.dictionary(fields, fc.jsonValue()), fc.nat(300), (value, cut) => {
				const bytes = bytesOf({ ...value, schemaVersion: 2 });
				for (const each of [bytes, bytes.subarray(0, cut)]) {
					try {
						readManifest(each);
					} catch (error) {
						assert.ok(error instanceof ManifestError, String(error));
					}
				}
			}),
		);
	});
});

describe('checkRunnable', () => {
	test('accepts container images and refuses artifacts', () => {
		checkRunnable(manifest());
		const chart = { ...MANIFEST, config: descriptor('application/vnd.cncf.helm.config.v1+json') };
		assert.throws(() => checkRunnable(manifest(chart)), /helm.config.v1\+json is not that of a container/);
		const odd = { ...MANIFEST, layers: [descriptor('text/plain')] };
		assert.throws(() => checkRunnable(manifest(odd)), /unrecognised mediatype text\/plain: not implemented/);
	});
});

describe('chooseManifest', () => {
	const amd64 = { os: 'linux', architecture: 'amd64' };

	test('prefers the exact platform, then older variants', () => {
		const offered = index({ os: 'linux', architecture: '386' }, { ...amd64, variant: 'v2' }, amd64);
		assert.equal(chooseManifest(offered, amd64, DIGEST).digest, digestOf('2'));
		assert.equal(chooseManifest(offered, { ...amd64, variant: 'v3' }, DIGEST).digest, digestOf('1'));
		const i386 = index({ os: 'linux', architecture: '386' });
		assert.equal(chooseManifest(i386, amd64, DIGEST).digest, digestOf('0'));
	});

	test('prefers the first of equals, and takes one without a platform only at last', () => {
		assert.equal(chooseManifest(index(amd64, amd64), amd64, DIGEST).digest, digestOf('0'));
		assert.equal(chooseManifest(index(undefined, amd64), amd64, DIGEST).digest, digestOf('1'));
		assert.equal(chooseManifest(index(undefined), amd64, DIGEST).digest, digestOf('0'));
	});

	test('reports with the words of containerd that none suits, and names the platforms for the hint', () => {
		const offered = index(
			{ os: 'linux', architecture: 'arm64', variant: 'v8' },
			{ os: 'windows', architecture: 'amd64' },
			{ os: 'unknown', architecture: 'unknown' },
		);
		const message = `no match for platform in manifest ${DIGEST}: not found`;
		assert.throws(() => chooseManifest(offered, amd64, DIGEST), { name: 'ManifestError', message });
		assert.deepEqual(offeredPlatforms(offered), ['linux/arm64/v8', 'windows/amd64']);
	});
});

describe('readImageConfig', () => {
	const config = {
		os: 'linux',
		architecture: 'arm64',
		variant: 'v8',
		created: '2026-01-01T00:00:00Z',
		config: {
			Env: ['PATH=/bin', 'A=b=c'],
			Entrypoint: ['/init'],
			Cmd: null,
			User: '1000:1000',
			WorkingDir: '/srv',
			StopSignal: 'SIGQUIT',
			Volumes: { '/data': {} },
			ExposedPorts: { '80/tcp': {} },
			Labels: { a: 'b' },
		},
		rootfs: { type: 'layers', diff_ids: [DIGEST] },
		history: [{ created_by: 'ADD', empty_layer: true }, { comment: 'x' }],
	};

	test('reads all that containers take from it', () => {
		assert.deepEqual(readImageConfig(bytesOf(config)), {
			platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
			created: '2026-01-01T00:00:00Z',
			env: ['PATH=/bin', 'A=b=c'],
			entrypoint: ['/init'],
			cmd: [],
			user: '1000:1000',
			workingDir: '/srv',
			stopSignal: 'SIGQUIT',
			volumes: ['/data'],
			exposedPorts: ['80/tcp'],
			labels: { a: 'b' },
			diffIds: [DIGEST],
			history: [
				{ created: '', createdBy: 'ADD', comment: '', isEmptyLayer: true },
				{ created: '', createdBy: '', comment: 'x', isEmptyLayer: false },
			],
		});
	});

	test('rejects wrong types, diff IDs that are none, and another count of layers than the manifest', () => {
		const reads = (value: object): unknown => readImageConfig(bytesOf({ ...config, ...value }));
		assert.throws(() => reads({ config: { Env: 'A=b' } }), /image config: config: Env is not a list/);
		assert.throws(() => reads({ rootfs: { type: 'layers', diff_ids: ['sha256:..'] } }), /is not a digest/);
		assert.throws(() => reads({ rootfs: null }), /rootfs: type is not "layers"/);
		assert.throws(() => checkLayerCount(manifest(), readImageConfig(bytesOf(config))), {
			message: "number of layers and diffIDs don't match: 2 != 1",
		});
	});
});

describe('media types', () => {
	test('say how layers are compressed', () => {
		assert.deepEqual(layerTypeOf(MEDIA_TYPES.zstdLayer), { compression: 'zstd', isForeign: false });
		assert.equal(layerTypeOf('application/vnd.docker.image.rootfs.diff.tar')?.compression, 'unknown');
		assert.equal(layerTypeOf('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')?.isForeign, true);
		assert.equal(layerTypeOf(`${MEDIA_TYPES.layer}+gzip+encrypted`), undefined);
		assert.equal(compressionOf(Uint8Array.of(0x1f, 0x8b, 8, 0)), 'gzip');
		assert.equal(compressionOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), 'zstd');
		assert.equal(compressionOf(new TextEncoder().encode('etc/')), 'none');
		assert.equal(bareMediaType('Application/JSON; charset=utf-8'), 'application/json');
	});
});

describe('digests', () => {
	test('have the texts of go-digest if they are malformed', () => {
		const cases: Readonly<Record<string, string>> = {
			[`sha256:${'a'.repeat(63)}`]: 'invalid checksum digest length',
			[`sha256:${'A'.repeat(64)}`]: 'invalid checksum digest format',
			[`md5:${'a'.repeat(32)}`]: 'unsupported digest algorithm',
			'sha256:': 'invalid checksum digest format',
			'': 'invalid checksum digest format',
		};
		for (const [text, message] of Object.entries(cases)) {
			assert.throws(() => parseDigest(text), { name: 'DigestError', message }, text);
			assert.equal(isDigest(text), false);
		}
		assert.equal(parseDigest(digestOf('a', 'sha512')).algorithm, 'sha512');
		assert.ok(isDigest(digestOf('a', 'sha384')));
	});

	test('verify content in pieces', () => {
		fc.assert(
			fc.property(fc.uint8Array(), fc.nat(20), fc.constantFrom('sha256', 'sha512'), (bytes, cut, name) => {
				const verifier = new DigestVerifier(digestOf(bytes, name));
				verifier.update(bytes.subarray(0, cut));
				verifier.update(bytes.subarray(cut));
				verifier.verify();
				const wrong = new DigestVerifier(digestOf(bytes, name));
				wrong.update(Uint8Array.of(...bytes, 1));
				assert.throws(() => wrong.verify(), DigestError);
			}),
		);
	});
});
