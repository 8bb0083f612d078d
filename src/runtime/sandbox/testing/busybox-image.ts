import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type ArchiveEntry, tarOf } from '../../../image/testing/archive.ts';
import { type TestImage, testImage } from '../../../image/testing/test-image.ts';

/** The static busybox of Debian, of which images for tests are made. */
const BUSYBOX = '/bin/busybox';

/** Why images cannot be built on this machine; undefined if they can. */
export function missingBusybox(): string | undefined {
	return existsSync(BUSYBOX) ? undefined : `${BUSYBOX} is missing (apt-get install busybox-static)`;
}

/** An image with busybox, a user `app`, and further entries in a second layer. */
export function busyboxImage(
	more: {
		readonly entries?: readonly ArchiveEntry[];
		readonly config?: Readonly<Record<string, unknown>>;
	} = {},
): TestImage {
	return testImage({
		layers: [baseLayer(), ...(more.entries ? [tarOf(more.entries)] : [])],
		platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
		config: { Env: ['PATH=/bin'], ...more.config },
	});
}

let base: Buffer | undefined;

function baseLayer(): Buffer {
	base ??= tarOf([
		...['bin/', 'etc/', 'home/', 'root/', 'var/'].map((path) => ({ path })),
		{ path: 'tmp/', mode: 0o1777 },
		{ path: 'home/app/', uid: 1000, gid: 1000 },
		{ path: 'bin/busybox', content: readFileSync(BUSYBOX), mode: 0o755 },
		...applets().map((name) => ({ path: `bin/${name}`, to: 'busybox' })),
		{ path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' },
		{ path: 'etc/group', content: 'root:x:0:\napp:x:1000:\nextra:x:50:app\n' },
	]);
	return base;
}

function applets(): readonly string[] {
	return execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' })
		.trim()
		.split('\n')
		.filter((name) => name !== 'busybox');
}
