/**
 * The configuration of name resolution for Pods with networks of their own. Where the machine runs systemd-resolved,
 * /etc/resolv.conf names a server at a loopback address, which is another one in the network of a Pod. Its own servers are in a
 * second file, which kubeadm gives to kubelets for the same reason.
 */
import { readFileSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';

/** The configuration of the machine. */
export const RESOLVER_FILE = '/etc/resolv.conf';
const UPSTREAM_FILE = '/run/systemd/resolve/resolv.conf';

const LOOPBACK = /^(127\.|::1$)/;

/** The path of the configuration for Pods; `read` returns the content of a file, if there is one. */
export function podResolverFile(read: (path: string) => string | undefined = contentOf): string {
	const servers = serversIn(read(RESOLVER_FILE) ?? '');
	const isLocal = servers.length > 0 && servers.every((server) => LOOPBACK.test(server));
	return isLocal && read(UPSTREAM_FILE) !== undefined ? UPSTREAM_FILE : RESOLVER_FILE;
}

function serversIn(text: string): readonly string[] {
	return Array.from(text.matchAll(/^\s*nameserver\s+(\S+)/gm), ([, server = '']) => server);
}

function contentOf(path: string): string | undefined {
	return attempt(() => readFileSync(path, 'utf8'));
}
