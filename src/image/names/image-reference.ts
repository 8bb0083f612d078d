import { quote } from '../../base/quote.ts';
import { DigestError, parseDigest } from '../digest.ts';

/**
 * Names of images, by the grammar and with the defaults and errors of upstream (distribution/reference v0.6.0, which
 * both the kubelet and containerd use).
 *
 * `bash` means `docker.io/library/bash:latest`. The first part of a name is a registry if it contains a dot or a colon,
 * is `localhost`, or has upper-case letters; otherwise the registry is Docker Hub. A digest is more exact than a tag:
 * where a name has both, the tag is ignored.
 */

/** A name of an image in parts, with the defaults filled in. */
export interface ImageReference {
	/** The registry as the name has it: a host, with its port if there is one. Docker Hub's is `docker.io`. */
	readonly domain: string;
	/** The path in the registry: `library/bash`. */
	readonly path: string;
	/** At least one of `tag` and `digest` is set by {@link pullReference}; a parsed name may have neither, or both. */
	readonly tag?: string;
	readonly digest?: string;
}

/** A text is not the name of an image. The message begins with that of the kubelet. */
export class InvalidImageNameError extends Error {
	override readonly name = 'InvalidImageNameError';
	/** The part of the message that does not repeat the name. */
	readonly problem: string;

	constructor(image: string, problem: string) {
		super(`couldn't parse image name ${quote(image)}: ${problem}`);
		this.problem = problem;
	}
}

/** The registry of names without one. */
export const DEFAULT_DOMAIN = 'docker.io';

/** The name that Docker Hub had in 2013, under which credentials for it are still stored. */
export const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';

const OFFICIAL = 'library/';
const MAX_PATH_LENGTH = 255;
/** Far more than a host, a path, a tag and a digest may have. Longer texts are not matched by the expression. */
const MAX_LENGTH = 2048;
const INVALID_FORMAT = 'invalid reference format';

const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
/**
 * The host may also be one part of a path: upstream reads `my_host.local/app`, whose underscore no host name may have,
 * as a path, and containerd then takes its first part as the host.
 */
const FORM = new RegExp(
	`^(${HOST}|${PATH_PART})/(${PATH_PART}(?:/${PATH_PART})*)(?::(\\w[\\w.-]{0,127}))?(?:@(${DIGEST}))?$`,
);

/** Parses a name and fills in the registry. Throws {@link InvalidImageNameError} with upstream's text. */
export function parseImageReference(text: string): ImageReference {
	if (/^[a-f0-9]{64}$/.test(text)) {
		const problem = `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`;
		throw new InvalidImageNameError(text, problem);
	}
	const [domain, rest] = splitDomain(text);
	const remote = rest.split(':', 1).join();
	if (remote !== remote.toLowerCase()) {
		const problem = `${INVALID_FORMAT}: repository name (${remote}) must be lowercase`;
		throw new InvalidImageNameError(text, problem);
	}
	const parts = text.length > MAX_LENGTH ? undefined : FORM.exec(`${domain}/${rest}`);
	if (!parts) throw new InvalidImageNameError(text, INVALID_FORMAT);
	const [, host = '', path = '', tag, digest] = parts;
	if (path.length > MAX_PATH_LENGTH) {
		const problem = `repository name must not be more than ${MAX_PATH_LENGTH} characters`;
		throw new InvalidImageNameError(text, problem);
	}
	if (digest !== undefined) checkDigest(text, digest);
	return { domain: host, path, ...(tag && { tag }), ...(digest && { digest }) };
}

function checkDigest(text: string, digest: string): void {
	try {
		parseDigest(digest);
	} catch (error) {
		if (error instanceof DigestError) throw new InvalidImageNameError(text, error.message);
		throw error;
	}
}

/** The registry, and the rest of the name with the `library/` of Docker Hub filled in. The name may be a pattern. */
export function splitDomain(name: string): readonly [string, string] {
	const slash = name.indexOf('/');
	const first = name.slice(0, Math.max(slash, 0));
	const domain = isDomain(first) && first !== LEGACY_DEFAULT_DOMAIN ? first : DEFAULT_DOMAIN;
	const rest = isDomain(first) ? name.slice(slash + 1) : name;
	return [domain, domain === DEFAULT_DOMAIN && !rest.includes('/') ? OFFICIAL + rest : rest];
}

/** Whether the first of several parts of a name is a registry. */
function isDomain(first: string): boolean {
	return first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
}

/**
 * The reference that is pulled for a name: with the tag `latest` if it has neither tag nor digest, and without its tag
 * if it has a digest (upstream: `ParseDockerRef`). Throws as {@link parseImageReference} does.
 */
export function pullReference(text: string): ImageReference {
	const { domain, path, tag, digest } = parseImageReference(text);
	return digest === undefined ? { domain, path, tag: tag ?? 'latest' } : { domain, path, digest };
}

/** The name without tag and digest, such as `docker.io/library/bash`. */
export function repositoryText({ domain, path }: Pick<ImageReference, 'domain' | 'path'>): string {
	return `${domain}/${path}`;
}

/** The whole name, such as `docker.io/library/bash:latest`. `parseImageReference` reads it as the same reference. */
export function referenceText(reference: ImageReference): string {
	return repositoryText(reference) + suffix(reference);
}

/**
 * The name as a user would write it: without Docker Hub's defaults, such as `bash:5`. `parseImageReference` reads it
 * as the same reference: upstream shortens `docker.io/a.b/c` too, which then names the registry `a.b`.
 */
export function familiarText(reference: ImageReference): string {
	const { domain, path } = reference;
	const [first = '', second, ...others] = path.split('/');
	if (domain !== DEFAULT_DOMAIN) return referenceText(reference);
	if (`${first}/` === OFFICIAL && second !== undefined && others.length === 0)
		return second + suffix(reference);
	return isDomain(first) ? referenceText(reference) : path + suffix(reference);
}

function suffix({ tag, digest }: ImageReference): string {
	return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}
