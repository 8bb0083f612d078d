import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import { stringAt } from '../../json-values.ts';

/** What the search for an engine depends on. */
export interface EndpointSearch {
	/** The value of `--runtime-endpoint`. */
	readonly endpoint?: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly home: string;
	/** Whether there is a socket at the path. */
	exists?(path: string): boolean;
}

/** The path of an engine's socket, or why there is none. */
export type FoundEndpoint = { readonly socketPath: string } | { readonly problem: string };

/**
 * Finds the socket of the container engine as Docker's own client does, and then where engines put it by default: the
 * given endpoint, DOCKER_HOST, the current context of `docker context`, the sockets of Docker, those of Podman.
 */
export function findEndpoint(search: EndpointSearch): FoundEndpoint {
	const { endpoint, env } = search;
	if (endpoint) return namedEndpoint(endpoint, '--runtime-endpoint');
	if (env.DOCKER_HOST) return namedEndpoint(env.DOCKER_HOST, 'DOCKER_HOST');
	const context = contextHost(search);
	if (context) return namedEndpoint(context.host, `the docker context ${JSON.stringify(context.name)}`);
	const { exists = existsSync } = search;
	const candidates = defaultSockets(search);
	const socketPath = candidates.find((path) => exists(path));
	if (socketPath !== undefined) return { socketPath };
	return {
		problem: `there is no container engine: none of ${candidates.join(', ')} exists; start Docker or Podman, or name its socket: --runtime docker=SOCKET`,
	};
}

/** The container's files are on this machine, so the engine must be as well: a remote one is refused. */
function namedEndpoint(text: string, source: string): FoundEndpoint {
	if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) };
	if (text.startsWith('/')) return { socketPath: text };
	return {
		problem: `${source} is ${JSON.stringify(text)}: only a socket of this machine (unix://PATH) can be used`,
	};
}

function defaultSockets({ env, home }: EndpointSearch): readonly string[] {
	const { XDG_RUNTIME_DIR: run } = env;
	return [
		'/var/run/docker.sock',
		...(run ? [join(run, 'docker.sock')] : []),
		join(home, '.docker/run/docker.sock'),
		join(home, '.colima/default/docker.sock'),
		...(run ? [join(run, 'podman/podman.sock')] : []),
		'/run/podman/podman.sock',
	];
}

/** The endpoint of the context that Docker's client uses; undefined if that is the default one. */
function contextHost({
	env,
	home,
}: EndpointSearch): { readonly name: string; readonly host: string } | undefined {
	const folder = env.DOCKER_CONFIG || join(home, '.docker');
	const name = env.DOCKER_CONTEXT || stringAt(jsonFile(join(folder, 'config.json')), 'currentContext');
	if (name === '' || name === 'default') return undefined;
	const id = createHash('sha256').update(name).digest('hex');
	const meta = jsonFile(join(folder, 'contexts/meta', id, 'meta.json'));
	const host = stringAt(meta, 'Endpoints', 'docker', 'Host');
	return host === '' ? undefined : { name, host };
}

function jsonFile(path: string): unknown {
	return attempt(() => JSON.parse(readFileSync(path, 'utf8')));
}
