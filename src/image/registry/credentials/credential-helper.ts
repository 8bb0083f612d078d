import { execFile } from 'node:child_process';
import { attempt } from '../../../base/attempt.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { isRecord, own } from '../../../base/json/json.ts';
import { readJson } from '../../../base/json/json-reader.ts';
import type { Environment } from '../http/proxy.ts';
import type { Credential } from './credential.ts';

/** Maximum duration and output of a helper. */
const HELPER_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** Which helper is asked for which registry. */
export interface HelperQuestion {
	/** The last part of the program's name: `gh` for docker-credential-gh. */
	readonly helper: string;
	/** The registry as docker's login stored it: a host, or `https://index.docker.io/v1/`. */
	readonly server: string;
	readonly env: Environment;
}

/**
 * Runs `docker-credential-<helper> get`, the protocol of docker/docker-credential-helpers: the registry on standard
 * input, `{"Username": …, "Secret": …}` on standard output. Undefined if the helper knows no credential. Rejects if
 * it fails; the message never contains its output.
 */
export function askCredentialHelper({
	helper,
	server,
	env,
}: HelperQuestion): Promise<Credential | undefined> {
	const program = `docker-credential-${helper}`;
	return new Promise((resolve, reject) => {
		// The name becomes a path: it must not lead out of the folders of PATH.
		if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper))
			return reject(new Error(`invalid credential helper "${helper}"`));
		const options = {
			env: { ...env },
			timeout: HELPER_TIMEOUT_MS,
			maxBuffer: MAX_OUTPUT_BYTES,
			killSignal: 'SIGKILL' as const,
		};
		const child = execFile(program, ['get'], options, (error, stdout) => {
			if (error && /credentials not found/i.test(stdout)) return resolve(undefined);
			if (error) return reject(new Error(`${program}: ${failureOf(error)}`));
			const credential = parseAnswer(stdout, program);
			if (credential) resolve(credential);
			else reject(new Error(`${program}: the answer is malformed`));
		});
		// A helper may end without reading its input.
		child.stdin?.on('error', () => undefined);
		child.stdin?.end(`${server}\n`);
	});
}

function failureOf(error: Error): string {
	if (codeOf(error) === 'ENOENT') return 'executable file not found in $PATH';
	return 'killed' in error && error.killed ? 'took too long or wrote too much' : 'failed';
}

function parseAnswer(text: string, origin: string): Credential | undefined {
	const value = attempt(() => readJson(text, { values: 100, depth: 4 }).value);
	if (!isRecord(value)) return undefined;
	const username = own(value, 'Username');
	const secret = own(value, 'Secret');
	if (typeof username !== 'string' || typeof secret !== 'string') return undefined;
	// A helper marks a refresh token by this name.
	if (username === '<token>') return { username: '', password: '', identityToken: secret, origin };
	return { username, password: secret, origin };
}
