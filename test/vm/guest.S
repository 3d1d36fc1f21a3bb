/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A guest of one sector, for tests: says on COM1 that it is here, and does what is typed there:
 *	q	switches itself off (ACPI, where SeaBIOS puts it on q35)
 *	r	resets itself
 *	m	asks the metadata service on COM2 for "hello", and shows the two lines that come back
 *	w	writes its second megabyte and on to its disk, without end, and shows a dot for each
 *	f	floods COM1 for good
 *	t	asks the BIOS for its TPM: shows T when it works
 *	d	says how many disks the BIOS has found
 *	e	lets go of the devices that it was asked for (ACPI's PCI hot-plug, where QEMU puts it on q35), and is shown again
 *	else	is shown again
 */
	.code16
	.globl _start
_start:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	movb %dl, drive
	movw $here, %si
	call say
loop:
	call get
	cmpb $'q', %al
	je off
	cmpb $'r', %al
	je reset
	cmpb $'m', %al
	je metadata
	cmpb $'w', %al
	je write
	cmpb $'e', %al
	je eject
	cmpb $'d', %al
	je disks
	cmpb $'t', %al
	je tpm
flood:
	cmpb $'f', %al
	pushf
	call put
	popf
	je flood
	jmp loop

off:
	movw $0x604, %dx
	movw $0x2000, %ax
	outw %ax, %dx
	jmp loop
reset:
	movw $0xcf9, %dx
	movb $6, %al
	outb %al, %dx
	jmp loop

/* TCG_StatusCheck, which says "TCPA" too. */
tpm:
	movw $0xbb00, %ax
	int $0x1a
	testl %eax, %eax
	jnz loop
	cmpl $0x41504354, %ebx
	jne loop
	movb $'T', %al
	call put
	jmp loop

/* The BIOS data area has the number. */
disks:
	movb 0x475, %al
	addb $'0', %al
	call put
	jmp loop

/* Of each bus what is asked for is what is let go. */
eject:
	xorl %eax, %eax
	movb $31, %al
1:	movw $0xcd0, %dx
	outl %eax, %dx
	pushw %ax
	movb $0xc4, %dl
	inl %dx, %eax
	movb $0xc8, %dl
	outl %eax, %dx
	xorl %eax, %eax
	popw %ax
	decb %al
	jns 1b
	movb $'e', %al
	call put
	jmp loop

metadata:
	movw $ask, %si
1:	lodsb
	testb %al, %al
	jz 2f
	movb %al, %bl
3:	movw $0x2fd, %dx
	inb %dx, %al
	testb $0x20, %al
	jz 3b
	movb %bl, %al
	movw $0x2f8, %dx
	outb %al, %dx
	jmp 1b
2:	movb $2, %cl
4:	movw $0x2fd, %dx
	inb %dx, %al
	testb $1, %al
	jz 4b
	movw $0x2f8, %dx
	inb %dx, %al
	cmpb $'\n', %al
	jne 5f
	decb %cl
5:	call put
	testb %cl, %cl
	jnz 4b
	jmp loop

/* 127 sectors at a time, by the BIOS, of what the BIOS itself is made of: zeros would take no room. */
write:
	movb $0x43, %ah
	xorb %al, %al
	movb drive, %dl
	movw $packet, %si
	int $0x13
	movb $'!', %al
	jc 6f
	movb $'.', %al
	addl $127, sector
6:	call put
	jmp write

say:
	lodsb
	testb %al, %al
	jz 7f
	call put
	jmp say
7:	ret

put:
	pushw %ax
8:	movw $0x3fd, %dx
	inb %dx, %al
	testb $0x20, %al
	jz 8b
	popw %ax
	movw $0x3f8, %dx
	outb %al, %dx
	ret

get:
	movw $0x3fd, %dx
	inb %dx, %al
	testb $1, %al
	jz get
	movw $0x3f8, %dx
	inb %dx, %al
	ret

here:	.asciz "the guest is here\r\n"
ask:	.asciz "GET hello\n"
packet:	.byte 16, 0
	.word 127
	.word 0, 0xf000
sector:	.long 2048, 0
drive:	.byte 0
	.org 510
	.word 0xaa55
