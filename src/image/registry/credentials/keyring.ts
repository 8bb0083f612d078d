import { attempt } from '../../../base/attempt.ts';
import { compareText } from '../../../base/compare-text.ts';
import { DEFAULT_DOMAIN, LEGACY_DEFAULT_DOMAIN } from '../../names/image-reference.ts';
import type { Credential } from './credential.ts';

/**
 * Which credentials of a configuration apply to an image (upstream: pkg/credentialprovider/keyring.go). A key such as
 * `registry.example.com:5000/team` applies to all images whose name begins so; each label of its host may be a pattern
 * of a file name, such as `*.example.com`. Several may apply; the more specific key comes first.
 */
export class Keyring {
	readonly #entries: readonly Entry[];

	private constructor(entries: readonly Entry[]) {
		this.#entries = entries.toSorted((a, b) => compareText(b.text, a.text));
	}

	/** `entries`: credentials by their keys, as configurations write them: hosts, with a path, or URLs. */
	static of(entries: Iterable<readonly [string, Credential]>): Keyring {
		const read = [...entries].flatMap(([location, credential]) => {
			const key = keyOf(location);
			return key ? [{ key, text: key.host + key.path, credential }] : [];
		});
		return new Keyring(read);
	}

	/** All entries of several: a more specific key precedes others, whichever keyring has it. */
	static union(keyrings: readonly Keyring[]): Keyring {
		return new Keyring(keyrings.flatMap((each) => each.#entries));
	}

	/** The credentials for the repository `registry/path`, the most specific first. */
	find(repository: string): readonly Credential[] {
		const target = splitKey(repository);
		const fitting = this.#entries.filter(({ key }) => covers(key, target));
		if (fitting.length > 0) return fitting.map(({ credential }) => credential);
		if (!isDefaultRegistry(repository)) return [];
		return this.#entries.flatMap(({ text, credential }) =>
			text === LEGACY_DEFAULT_DOMAIN ? [credential] : [],
		);
	}
}

interface Entry {
	readonly key: Key;
	/** Of the key. */
	readonly text: string;
	readonly credential: Credential;
}

interface Key {
	/** With the port, if there is one. */
	readonly host: string;
	/** Empty, or beginning with a slash. */
	readonly path: string;
}

/** The key of a location. `https://index.docker.io/v1/` is docker's way to write `index.docker.io`. */
function keyOf(location: string): Key | undefined {
	const { host, path } = splitKey(location.replace(/^https?:\/\//, '').replace(/[?#].*$/s, ''));
	const effective = /^\/v[12]\//.test(path) ? path.slice('/v1'.length) : path;
	return host === '' ? undefined : { host, path: effective === '/' ? '' : effective };
}

function splitKey(text: string): Key {
	const slash = text.indexOf('/');
	return slash < 0 ? { host: text, path: '' } : { host: text.slice(0, slash), path: text.slice(slash) };
}

function covers(key: Key, target: Key): boolean {
	const [keyName, keyPort] = splitPort(key.host);
	const [name, port] = splitPort(target.host);
	const patterns = keyName.split('.');
	const labels = name.split('.');
	if (keyPort !== port || patterns.length !== labels.length || !target.path.startsWith(key.path))
		return false;
	return patterns.every((pattern, index) => matchesLabel(pattern, labels[index] ?? ''));
}

function splitPort(host: string): readonly [string, string] {
	const parts = /^(.*):(\d*)$/.exec(host);
	return parts && !host.endsWith(']') ? [parts[1] ?? '', parts[2] ?? ''] : [host, ''];
}

/**
 * Matches as Go's filepath.Match does: `*`, `?`, and classes of characters. A malformed pattern matches nothing. No
 * regular expression, because one with several stars takes exponential time: only the last star is tried again.
 */
function matchesLabel(pattern: string, label: string): boolean {
	const parts = pattern.match(/\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\.|[^[\\]/gsu) ?? [];
	const characters = [...label];
	if (parts.join('') !== pattern) return false;
	let part = 0;
	let at = 0;
	let star: { readonly part: number; at: number } | undefined;
	while (at < characters.length || part < parts.length) {
		const wanted = parts[part];
		if (wanted === '*') {
			star = { part, at };
			part += 1;
		} else if (wanted !== undefined && matchesOne(wanted, characters[at])) {
			part += 1;
			at += 1;
		} else if (star && star.at < characters.length) {
			star.at += 1;
			part = star.part + 1;
			at = star.at;
		} else return false;
	}
	return true;
}

/** Whether a part of a pattern that is no star matches the character. */
function matchesOne(part: string, character: string | undefined): boolean {
	if (character === undefined) return false;
	if (part === '?') return true;
	if (!part.startsWith('[') || part.length === 1) return part.replace(/^\\(?=.)/su, '') === character;
	return attempt(() => new RegExp(`^${part}$`, 'su').test(character)) ?? false;
}

/** Whether the name means Docker Hub (upstream: `isDefaultRegistryMatch`). */
function isDefaultRegistry(repository: string): boolean {
	const [first = '', rest] = repository.split('/', 2);
	if (first === '') return false;
	if (rest === undefined || first === DEFAULT_DOMAIN || first === LEGACY_DEFAULT_DOMAIN) return true;
	return !/[.:]/.test(first);
}
