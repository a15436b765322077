/** A log that writes what is important enough; how important that is can change while it runs. */

import { LOG_LEVELS, type Log, type LogEvent, type LogLevel } from '../../include/log.ts';

/** A log whose level can be set. */
export type LevelledLog = Log & { readonly setLevel: (level: LogLevel) => void };

/** Makes a log that hands on to `log` what is of a level or behind it. */
export function createLevelledLog(log: Log, level: LogLevel): LevelledLog {
  let least = LOG_LEVELS.indexOf(level);
  const from = (each: LogLevel): LogEvent => {
    const place = LOG_LEVELS.indexOf(each);
    return (event, fields) => {
      if (place >= least) log[each](event, fields);
    };
  };
  return {
    debug: from('debug'),
    info: from('info'),
    warn: from('warn'),
    error: from('error'),
    setLevel: (next) => {
      least = LOG_LEVELS.indexOf(next);
    },
  };
}

/** The log itself if its level can be set, else one in front of it. */
export function levelled(log: Log | LevelledLog): LevelledLog {
  return 'setLevel' in log ? log : createLevelledLog(log, 'debug');
}
