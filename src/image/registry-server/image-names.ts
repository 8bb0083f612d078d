import { type ImageReference, parseImageReference } from '../names/image-reference.ts';
import { isThisMachine } from '../registry/http/addresses.ts';
import type { ImageStore } from '../store/image-store.ts';
import { readRefRecords } from '../store/records.ts';
import type { TagChange } from './registry-call.ts';

/**
 * Whether a name of an image means the registry to which a client pushed as `host`: it is the same text, or another name of
 * this machine with the same port; `hostNames` are those besides localhost.
 */
function isSameRegistry(domain: string, host: string, hostNames: readonly string[] = []): boolean {
	if (domain === host) return true;
	const [, hostname = '', port = ''] = /^(.*?)(:\d+)?$/.exec(domain) ?? [];
	return (
		(isThisMachine(hostname) || hostNames.includes(hostname)) && port === (/:\d+$/.exec(host)?.[0] ?? '')
	);
}

/**
 * Makes the names of images in the store follow a tag of the registry: a name that means another image is removed, so that
 * the next Pod pulls the one that was pushed, also with the policy IfNotPresent. After the removal of a tag the image is
 * removed too, unless it has other names or containers.
 */
export async function followTag(
	store: ImageStore,
	change: TagChange,
	hostNames: readonly string[] = [],
): Promise<void> {
	const stale = (await readRefRecords(store.folders)).filter(
		(ref) => ref.targetDigest !== change.digest && isNamed(parseImageReference(ref.name), change, hostNames),
	);
	for (const { name } of stale) await store.untag(name);
	if (change.digest !== undefined) return;
	const used = await store.roots.imagesInUse();
	for (const { imageId } of stale) {
		const image = await store.find(imageId);
		if (image?.names.length === 0 && !used.has(imageId)) await store.remove([imageId]);
	}
}

function isNamed(
	{ domain, path, tag }: ImageReference,
	change: TagChange,
	hostNames: readonly string[],
): boolean {
	return path === change.name && tag === change.tag && isSameRegistry(domain, change.host, hostNames);
}

/** Removes the tag of the registry that a name of an image means. Resolves to false if there is none. */
export async function removePushedTag(
	store: ImageStore,
	{ domain, path, tag }: ImageReference,
): Promise<boolean> {
	if (tag === undefined) return false;
	const isHost = (host: string): boolean => isSameRegistry(domain, host);
	const isRemoved = await store.repositories.removeTagPushedTo(path, { tag, isHost });
	if (isRemoved) await store.sweep();
	return isRemoved;
}
