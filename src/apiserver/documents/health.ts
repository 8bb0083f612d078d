import type { Query } from '../query.ts';
import { type Answer, textAnswer } from '../respond.ts';

/**
 * Names of the health check paths. They and `/version` need no token, as upstream, so that probes work
 * without credentials.
 */
const CHECKS: readonly string[] = ['healthz', 'livez', 'readyz'];

/** The paths that need no token. */
export function isPublic(path: string): boolean {
	const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
	return trimmed === '/version' || CHECKS.some((check) => trimmed === `/${check}`);
}

/**
 * The response of a health check (`/readyz`, `/readyz/ping`), or undefined for other paths. `failure` is why
 * the store is not available, if it is not.
 */
export function health(path: string, query: Query, failure: Error | undefined): Answer | undefined {
	const [, check = '', part, ...rest] = path.split('/');
	if (!CHECKS.includes(check) || rest.length > 0) return undefined;
	const results = [
		{ name: 'ping', ok: true },
		{ name: 'store', ok: failure === undefined },
	].filter(({ name }) => part === undefined || name === part);
	if (results.length === 0) return undefined;
	const ok = results.every((result) => result.ok);
	if (ok && !query.has('verbose')) return textAnswer(200, 'ok');
	const lines = results.map(
		(result) => `[${result.ok ? '+' : '-'}]${result.name} ${result.ok ? 'ok' : 'failed'}`,
	);
	return textAnswer(ok ? 200 : 500, `${lines.join('\n')}\n${check} check ${ok ? 'passed' : 'failed'}\n`);
}
