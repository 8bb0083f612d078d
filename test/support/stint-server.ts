import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd, type Finished, ROOT, Running, run, temporaryFolder } from './processes.ts';

/** A server in a process of its own, started like a user's, and functions that run commands against it. */
export interface StintServer {
	readonly folder: string;
	readonly kubeconfig: string;
	readonly url: string;
	readonly process: Running;
	/** Runs real kubectl against it. */
	kubectl(...args: readonly string[]): Promise<Finished>;
	/** Runs real kubectl with `input` on its standard input. */
	kubectlWith(input: string, ...args: readonly string[]): Promise<Finished>;
	/** Runs `./stint` against it. */
	stint(...args: readonly string[]): Promise<Finished>;
	/** The environment of the commands: KUBECONFIG and HOME are the test's own. */
	readonly env: NodeJS.ProcessEnv;
	/** Sends `signal` (default SIGTERM) to the server and waits for its exit. */
	stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** Starts `./stint server` on a free port and resolves once it prints that it is ready. */
export async function startStint(t: TestContext, options: ServerOptions = {}): Promise<StintServer> {
	const folder = options.folder ?? temporaryFolder(t);
	const home = temporaryFolder(t);
	const kubeconfig = join(folder, 'kubeconfig');
	const env = { ...process.env, HOME: home, KUBECONFIG: kubeconfig };
	const serverEnv = { ...env, ...options.env };
	const args = ['server', '--data-dir', folder, '--port', '0', ...(options.args ?? [])];
	const [command = '', ...words] = [...(options.under ?? []), join(ROOT, 'stint')];
	const server = new Running(command, [...words, ...args], serverEnv);
	const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> => {
		server.child.kill(signal);
		return server.finished;
	};
	atEnd(t, async () => {
		if (server.child.exitCode === null && server.child.signalCode === null) await stop();
	});
	const [, url = ''] = await server.printed(/ready at (https:\/\/\S+)/);
	const kubectlWith = (input: string, ...rest: readonly string[]): Promise<Finished> =>
		run('kubectl', rest, { env, input });
	return {
		folder,
		kubeconfig,
		url,
		process: server,
		env,
		stop,
		kubectlWith,
		kubectl: (...rest) => kubectlWith('', ...rest),
		stint: (...rest) => run(join(ROOT, 'stint'), rest, { env }),
	};
}

/** The user and group of a server of {@link asOrdinaryUser}. */
export const UNPRIVILEGED_ID = 65_534;

/** Starts a server as a user without rights and with a data folder of its own. Needs root. */
export function asOrdinaryUser(t: TestContext): Required<Pick<ServerOptions, 'folder' | 'under' | 'env'>> {
	const folder = temporaryFolder(t);
	chownSync(folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
	const user = [`--reuid=${UNPRIVILEGED_ID}`, `--regid=${UNPRIVILEGED_ID}`, '--clear-groups'];
	return { folder, under: ['setpriv', ...user, '--'], env: { HOME: folder, TMPDIR: folder } };
}

/** Starts a server at a level of isolation that this user may have. */
export function atLevel(t: TestContext, level: 'root' | 'user'): ServerOptions & { readonly folder: string } {
	return level === 'user' && process.getuid?.() === 0 ? asOrdinaryUser(t) : { folder: temporaryFolder(t) };
}

/** How a test's server is started. */
export interface ServerOptions {
	/** A data folder that the test owns; by default a new one. */
	readonly folder?: string;
	readonly args?: readonly string[];
	/** The command that runs the server, in front of its own: `setpriv --reuid=1000`. Default: none. */
	readonly under?: readonly string[];
	/** Additional environment variables for the server alone. */
	readonly env?: NodeJS.ProcessEnv;
}
