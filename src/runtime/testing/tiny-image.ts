/** An image for tests, made of the machine's static busybox, as the blobs of a registry. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** A blob by its digest. */
export interface ImageBlob {
	readonly digest: string;
	readonly bytes: Buffer;
}

/** An image with one layer. */
export interface TinyImage {
	readonly manifest: ImageBlob;
	readonly blobs: readonly ImageBlob[];
}

/** The type of the manifest. */
export const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

const PATHS = ['/usr/bin/busybox', '/bin/busybox'];
const APPLETS = [
	'sh',
	'cat',
	'sleep',
	'head',
	'tr',
	'stty',
	'true',
	'id',
	'echo',
	'kill',
	'printf',
	'dd',
	'ls',
	'touch',
];
const BLOCK = 512;

/** The static busybox of this machine; undefined if there is none. */
export function busyboxPath(): string | undefined {
	return PATHS.find((path) => existsSync(path) && isStatic(readFileSync(path)));
}

/** Whether a program of 64 bits needs no loader, which the image does not have: no header of the type PT_INTERP. */
function isStatic(program: Buffer): boolean {
	const start = Number(program.readBigUInt64LE(32));
	const size = program.readUInt16LE(54);
	const headers = Array.from({ length: program.readUInt16LE(56) }, (_, index) => start + index * size);
	return headers.every((at) => program.readUInt32LE(at) !== 3);
}

/** Makes the image; `config` is its configuration: User, Env, Entrypoint … */
export function makeTinyImage(config: Readonly<Record<string, unknown>> = {}): TinyImage {
	const path = busyboxPath();
	if (path === undefined) throw new Error('there is no static busybox');
	const layer = Buffer.concat([
		folder('bin/'),
		folder('etc/'),
		folder('dev/'),
		file('bin/busybox', readFileSync(path)),
		...APPLETS.map((name) => link(`bin/${name}`, 'busybox')),
		file('etc/passwd', Buffer.from('root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n')),
		Buffer.alloc(2 * BLOCK),
	]);
	const packed = blobOf(gzipSync(layer));
	const description = blobOf(
		JSON.stringify({
			architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
			os: 'linux',
			config: { Env: ['PATH=/bin'], ...config },
			rootfs: { type: 'layers', diff_ids: [blobOf(layer).digest] },
			history: [{ created_by: 'a test' }],
		}),
	);
	const manifest = blobOf(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: MANIFEST_TYPE,
			config: describe('application/vnd.docker.container.image.v1+json', description),
			layers: [describe('application/vnd.docker.image.rootfs.diff.tar.gzip', packed)],
		}),
	);
	return { manifest, blobs: [manifest, description, packed] };
}

function describe(mediaType: string, { digest, bytes }: ImageBlob): Record<string, unknown> {
	return { mediaType, digest, size: bytes.length };
}

function blobOf(content: string | Buffer): ImageBlob {
	const bytes = Buffer.from(content);
	return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

function folder(name: string): Buffer {
	return header({ name, type: '5', mode: 0o755, size: 0 });
}

function file(name: string, bytes: Buffer): Buffer {
	const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
	return Buffer.concat([header({ name, type: '0', mode: 0o755, size: bytes.length }), bytes, padding]);
}

function link(name: string, target: string): Buffer {
	return header({ name, type: '2', mode: 0o777, size: 0, target });
}

interface TarEntry {
	readonly name: string;
	readonly type: string;
	readonly mode: number;
	readonly size: number;
	readonly target?: string;
}

/** The header of an entry in the format ustar. */
function header({ name, type, mode, size, target = '' }: TarEntry): Buffer {
	const block = Buffer.alloc(BLOCK);
	const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
	block.write(name, 0);
	block.write(octal(mode, 8), 100);
	block.write(octal(0, 8), 108);
	block.write(octal(0, 8), 116);
	block.write(octal(size, 12), 124);
	block.write(octal(0, 12), 136);
	block.write(' '.repeat(8), 148);
	block.write(type, 156);
	block.write(target, 157);
	block.write('ustar\x0000', 257);
	const sum = block.reduce((total, byte) => total + byte, 0);
	block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
	return block;
}
