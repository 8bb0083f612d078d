import { YamlError } from './cursor.ts';
import type { WrittenTag } from './scan-word.ts';
import type { Scanner } from './scanner.ts';
import type { Token } from './token.ts';

const DEFAULT_HANDLES: readonly (readonly [handle: string, prefix: string])[] = [
	['!', '!'],
	['!!', 'tag:yaml.org,2002:'],
];

/** Maximum number of tag handles, far more than any real text has. libyaml has no limit. */
const MAX_HANDLES = 100;

/** The handles of tags in one document: the default ones, and those that its %TAG directives define. */
export class TagHandles {
	readonly #prefixes = new Map<string, string>();

	/** Reads the directives before a document. Throws a {@link YamlError}. */
	static read(scanner: Scanner): TagHandles {
		const handles = new TagHandles();
		let hasVersion = false;
		for (;;) {
			const token = scanner.peek();
			const { directive } = token;
			if (!directive) break;
			if (handles.#prefixes.size === MAX_HANDLES) {
				throw errorAt(token, `found more than ${MAX_HANDLES} directives`);
			}
			if (directive.name === 'TAG') {
				if (handles.#prefixes.has(directive.handle)) throw errorAt(token, 'found duplicate %TAG directive');
				handles.#prefixes.set(directive.handle, directive.prefix);
			} else {
				if (hasVersion) throw errorAt(token, 'found duplicate %YAML directive');
				if (directive.major !== 1 || directive.minor !== 1) {
					throw errorAt(token, 'found incompatible YAML document');
				}
				hasVersion = true;
			}
			scanner.take();
		}
		for (const [handle, prefix] of DEFAULT_HANDLES) {
			if (!handles.#prefixes.has(handle)) handles.#prefixes.set(handle, prefix);
		}
		return handles;
	}

	/** The full tag: the prefix of the handle and the suffix; undefined if the handle is not defined. */
	resolve({ handle, suffix }: WrittenTag): string | undefined {
		if (handle === '') return suffix;
		const prefix = this.#prefixes.get(handle);
		return prefix === undefined ? undefined : prefix + suffix;
	}
}

/** An error at a token. go-yaml counts lines from 0 here, and omits the number of the first line. */
export function errorAt({ start }: Pick<Token, 'start'>, problem: string): YamlError {
	return new YamlError(problem, start, start.line);
}
