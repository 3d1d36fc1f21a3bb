/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Files on /dev/vda, an ext4: written one after the other, from the first that is not there on, each synchronized before its number is said ("has 7");
 * and read again, after the power was cut: "held 7" says that those from 1 on are whole, "bad 3" that one is not what was written.
 */
void files_write(void);
void files_check(void);
