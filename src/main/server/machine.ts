import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, hostname, platform, release, totalmem } from 'node:os';
import type { Machine } from '../../plan/node/node-status.ts';

/** The address of the Node, unless Pods need another one to reach it. */
export const NODE_ADDRESS = '127.0.0.1';

/**
 * The properties and capacity of this machine, for its Node. `folder` is on the file system that Pods write
 * to.
 */
export function thisMachine(options: {
	readonly folder: string;
	readonly maxPods: number;
	/** Default: {@link NODE_ADDRESS}. */
	readonly address?: string;
}): Machine {
	const disk = statfsSync(options.folder);
	return {
		name: nodeName(),
		address: options.address ?? NODE_ADDRESS,
		cpus: availableParallelism(),
		memoryBytes: totalmem(),
		diskBytes: disk.blocks * disk.bsize,
		maxPods: options.maxPods,
		platform: platform(),
		architecture: arch(),
		kernel: release(),
		osImage: osImage(),
		machineId: firstLine('/etc/machine-id'),
		bootId: firstLine('/proc/sys/kernel/random/boot_id'),
		inUserNamespace: platform() === 'linux' && !isWholeMap(firstLine('/proc/self/uid_map')),
	};
}

/** Whether the first line of a uid_map maps all users to themselves, as in the user namespace of the machine. */
function isWholeMap(line: string): boolean {
	return line.trim().split(/\s+/).join(' ') === '0 0 4294967295';
}

/**
 * The host name as a valid Node name (a DNS subdomain of at most 63 characters); `localhost` if nothing valid
 * is left.
 */
function nodeName(): string {
	const name = hostname()
		.toLowerCase()
		.replace(/[^a-z0-9.-]+/g, '-')
		.replace(/^[^a-z0-9]+/, '')
		.slice(0, 63)
		.replace(/[^a-z0-9]+$/, '');
	return name === '' ? 'localhost' : name;
}

function osImage(): string {
	return /^PRETTY_NAME="?([^"\n]*)/m.exec(contentOf('/etc/os-release'))?.[1] ?? platform();
}

function firstLine(path: string): string {
	return contentOf(path).split('\n')[0] ?? '';
}

/** The content of a file, or an empty text: macOS has none of these files, and a container may lack some. */
function contentOf(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
