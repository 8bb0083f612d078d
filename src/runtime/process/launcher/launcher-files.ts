/** The names of the launcher's files in its folder, without the folders of the sandboxes. */

/** The lock: see LauncherLock. */
export const LAUNCHER_LOCK = 'launcher.lock';
/** The socket for the calls of the server. */
export const SOCKET_NAME = 'launcher.sock';
/** The socket for sessions: exec and attach. */
export const SESSIONS_NAME = 'sessions.sock';
/** The journal; the file is absent if there is no sandbox. */
export const JOURNAL_NAME = 'journal';
/** Suffix of a journal that is being written and will replace the one without it. */
export const NEXT_SUFFIX = '.next';
/** The folder of the named pipes of containers. */
export const PIPES_NAME = 'pipes';
/** The pipe by which the shim tells that there are new events. */
export const POKE_NAME = 'poke';
/** The start of the names of the shim's files of events, which end with a number. */
export const EVENTS_PREFIX = 'events-';

/** All of them but the files of events. They refer to processes, so they have no meaning in a copy of the folder. */
export const LAUNCHER_FILES: readonly string[] = [
	LAUNCHER_LOCK,
	SOCKET_NAME,
	SESSIONS_NAME,
	JOURNAL_NAME,
	`${JOURNAL_NAME}${NEXT_SUFFIX}`,
	PIPES_NAME,
	POKE_NAME,
];
