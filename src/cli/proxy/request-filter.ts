import { cleanPath } from '../../plan/proxy/proxied-path.ts';
import { CommandError } from '../context.ts';
import type { FilterDecision, ProxyRequestHead } from './proxied-request.ts';

/** The requests that `proxy` passes on. Each list has regular expressions, separated by commas. */
export interface FilterRules {
	readonly acceptHosts: string;
	readonly acceptPaths: string;
	readonly rejectPaths: string;
	readonly rejectMethods: string;
	/** The path below which the API is served; a slash at its end makes no difference. */
	readonly apiPrefix: string;
}

/** The matching of a path takes quadratic time with some expressions, the default ones among them. */
const MAX_PATH = 8192;

/**
 * Decides about requests by `rules` (upstream: FilterServer in kubectl/pkg/proxy). Paths are compared without
 * percent-encoding, so that an encoded character evades no rule; a path with dot segments or repeated slashes is
 * redirected to the one that it means, as Go's ServeMux does. Throws a CommandError for an invalid expression.
 */
export function requestFilter(rules: FilterRules): (head: ProxyRequestHead) => FilterDecision {
	const [acceptHosts, acceptPaths, rejectPaths, rejectMethods] = [
		rules.acceptHosts,
		rules.acceptPaths,
		rules.rejectPaths,
		rules.rejectMethods,
	].map(expressions);
	const prefix = rules.apiPrefix.replace(/\/+$/, '');
	return ({ method, url, host }) => {
		const mark = url.indexOf('?');
		const [sent, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)];
		if (sent.length > MAX_PATH) return { type: 'refused', code: 414 };
		const path = decoded(sent);
		if (path === undefined || !path.startsWith('/')) return { type: 'refused', code: 400 };
		if (cleanPath(path) !== path) return { type: 'redirected', location: `${cleanPath(sent)}${query}` };
		// As kubectl: a prefix that begins with /api is one of the API itself.
		const isStripped = !prefix.startsWith('/api');
		if (path !== prefix && !path.startsWith(`${prefix}/`)) return { type: 'refused', code: 404 };
		const own = isStripped ? path.slice(prefix.length) || '/' : path;
		const isAccepted =
			!matches(own, rejectPaths) &&
			!matches(method, rejectMethods) &&
			matches(own, acceptPaths) &&
			matches(nameOf(host), acceptHosts);
		if (!isAccepted) return { type: 'refused', code: 403 };
		return { type: 'passed', path: `${isStripped ? sent.slice(prefix.length) || '/' : sent}${query}` };
	};
}

function expressions(list: string): readonly RegExp[] {
	if (list === '') return [];
	return list.split(',').map((text) => {
		try {
			return new RegExp(text);
		} catch {
			throw new CommandError(`invalid regular expression: ${text}`);
		}
	});
}

function matches(text: string, list: readonly RegExp[] = []): boolean {
	return list.some((expression) => expression.test(text));
}

function decoded(path: string): string | undefined {
	try {
		return decodeURIComponent(path);
	} catch {
		return undefined;
	}
}

/** A Host header without its port. An IPv6 address keeps its brackets, which the default expression expects. */
function nameOf(host: string): string {
	return host.replace(/:\d*$/, '');
}
