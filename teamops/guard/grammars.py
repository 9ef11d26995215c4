"""Which options the programs have that change files, by their manuals: GNU coreutils 9, BSD and macOS, and the like."""

from __future__ import annotations

from teamops.guard.options import Grammar

GRAMMARS: dict[str, Grammar] = {
    "rm": (
        "dfiIPrRvWx",
        "",
        """
        dir force interactive? no-preserve-root one-file-system preserve-root? recursive verbose""",
    ),
    "rmdir": ("pv", "", "ignore-fail-on-non-empty parents verbose"),
    "unlink": ("", "", ""),
    "shred": ("fuvxz", "ns", "exact force iterations= random-source= remove? size= verbose zero"),
    "touch": ("acfhm", "drtA", "date= no-create no-dereference reference= time="),
    "mkdir": ("pvZ", "m", "context? mode= parents verbose"),
    "mkfifo": ("Z", "m", "context? mode="),
    "tee": ("aip", "", "append ignore-interrupts output-error?"),
    "sponge": ("a", "", ""),
    "truncate": ("co", "sr", "io-blocks no-create reference= size="),
    "cp": (
        "abcdfHilLnNpPrRsTuvxXZ",
        "St",
        """
        archive attributes-only backup? context? copy-contents debug dereference force interactive
        keep-directory-symlink link no-clobber no-dereference no-preserve= no-target-directory
        one-file-system parents preserve? recursive reflink? remove-destination sparse=
        strip-trailing-slashes suffix= symbolic-link target-directory= update? verbose""",
    ),
    "mv": (
        "bfhinTuvZ",
        "St",
        """
        backup? context debug exchange force interactive no-clobber no-copy no-target-directory
        strip-trailing-slashes suffix= target-directory= update? verbose""",
    ),
    "ln": (
        "bdFfhiLnPrsTvw",
        "St",
        """
        backup? directory force interactive logical no-dereference no-target-directory physical relative
        suffix= symbolic target-directory= verbose""",
    ),
    "link": ("", "", ""),
    "install": (
        "bcCdDMpsTUvZ",
        "gmotSBfhlN",
        """
        backup? compare context? debug directory group= mode= owner= preserve-context preserve-timestamps
        strip strip-program= suffix= target-directory= no-target-directory verbose""",
    ),
    "chmod": (
        "cfhHLPRrstuvwxX",
        "",
        """
        changes dereference no-dereference no-preserve-root preserve-root quiet recursive reference= silent
        verbose""",
    ),
    "chown": (
        "cfhHLnPRvx",
        "",
        """
        changes dereference from= no-dereference no-preserve-root preserve-root quiet recursive reference=
        silent verbose""",
    ),
    "rsync": (
        "0468abcdgHhiklLmnoOpPqrRsStuvUvWxXyzADEFIJKNC",
        "efBTM@",
        """
        acls append append-verify archive backup backup-dir= block-size= bwlimit= checksum checksum-choice=
        chmod= chown= compare-dest= compress compress-level= contimeout= copy-dest= copy-dirlinks copy-links
        copy-unsafe-links cvs-exclude delay-updates del delete delete-after delete-before delete-delay
        delete-during delete-excluded delete-missing-args devices dirs dry-run exclude-from= exclude=
        executability existing fake-super files-from= filter= force from0 fuzzy group hard-links
        human-readable ignore-errors ignore-existing ignore-missing-args ignore-times include-from= include=
        info= inplace itemize-changes keep-dirlinks link-dest= links list-only log-file= max-delete=
        max-size= min-size= mkpath modify-window= munge-links no-implied-dirs no-motd no-perms no-owner
        no-group no-times numeric-ids old-args omit-dir-times omit-link-times one-file-system out-format=
        owner partial partial-dir= perms port= progress prune-empty-dirs quiet recursive relative
        remove-source-files rsh= rsync-path= safe-links secluded-args size-only skip-compress= sparse
        specials stats suffix= super temp-dir= timeout= times update verbose whole-file xattrs""",
    ),
    "sed": (
        "anErsuz",
        "efl iI",
        """
        debug expression= file= follow-symlinks in-place? line-length= null-data posix quiet regexp-extended
        sandbox separate silent unbuffered""",
    ),
    "perl": ("0123456789acfglnpsStTuUvwWX", "eEI iFMmxCDVd", ""),
    "ruby": ("01234567aclnpsSvwWy", "eIrCE iFKTx", "verbose"),
    "awk": (
        "bcCghkMnNOPrsStV",
        "Fvfeil",
        """
        assign= field-separator= file= source= include= load= re-interval sandbox posix traditional csv""",
    ),
    "patch": (
        "bcefElnNRstTuvZ",
        "BDFVYdgioprxz",
        """
        backup backup-if-mismatch batch binary context directory= dry-run ed fuzz= force forward get= help
        ifdef= input= merge? no-backup-if-mismatch normal output= posix prefix= quiet quoting-style=
        read-only= reject-file= reject-format= remove-empty-files reverse set-time set-utc silent strip=
        suffix= unified verbose version-control=""",
    ),
    "unzip": ("aABcCfjKlLMnNopqstTuUvVWXzZ:^", "dP", ""),
    "tar": (
        "AcdrtuxghiGjJklmMnOopPRsSUvwWzZB",
        "bCfFgHIKLNTVX",
        """
        absolute-names append auto-compress bzip2 catenate create delete diff directory= exclude-from=
        exclude= exclude-vcs extract file= get gzip ignore-zeros keep-newer-files keep-old-files list lzma
        mode= no-overwrite-dir no-recursion no-same-owner no-same-permissions no-wildcards numeric-owner
        one-file-system one-top-level? overwrite owner= preserve-permissions recursive-unlink remove-files
        same-owner same-permissions skip-old-files sort= strip-components= totals touch transform=
        unlink-first update verbose verify warning= wildcards xform= xz zstd group= mtime=""",
    ),
    "split": (
        "deuxv",
        "abClnt dx",
        """
        additional-suffix= filter= bytes= elide-empty-files hex-suffixes? line-bytes= lines= number=
        numeric-suffixes? separator= suffix-length= unbuffered verbose""",
    ),
    "sort": (
        "bcCdfghimMnrRsuVz",
        "kStTo",
        """
        batch-size= buffer-size= check? compress-program= debug dictionary-order field-separator=
        files0-from= general-numeric-sort human-numeric-sort ignore-case ignore-leading-blanks
        ignore-nonprinting key= merge month-sort numeric-sort output= parallel= random-sort random-source=
        reverse sort= stable temporary-directory= unique version-sort zero-terminated""",
    ),
    "uniq": (
        "cdDiuz",
        "fsw",
        """
        all-repeated? check-chars= count group? ignore-case repeated skip-chars= skip-fields= unique
        zero-terminated""",
    ),
    "scp": ("346ABCOpqRrTv", "cDFiJloPSX", ""),
    "xxd": ("abeEipruv", "cglnosR", ""),
    "gzip": (
        "123456789acdfhklLnNqrtvV",
        "S",
        """
        best decompress fast force keep list name no-name quiet recursive rsyncable stdout suffix=
        synchronous test to-stdout uncompress verbose""",
    ),
    "curl": (
        "#0123456afgGiIjJklLMnNOpqRsSvZ",
        "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
        """
        append anyauth basic cacert= capath= cert= compressed config= connect-timeout= cookie-jar= cookie=
        create-dirs data-ascii= data-binary= data-raw= data-urlencode= data= dump-header= etag-compare=
        etag-save= fail fail-with-body form= get globoff head header= http1.1 http2 http3 include insecure
        ipv4 ipv6 json= key= limit-rate= location location-trusted max-redirs= max-time= netrc no-buffer
        no-progress-meter output-dir= output= parallel proxy= range= referer= remote-header-name remote-name
        remote-name-all remote-time request= resolve= retry-all-errors retry-delay= retry= show-error silent
        stderr= tlsv1.2 trace-ascii= trace= upload-file= url= user-agent= user= verbose write-out= hsts=
        alt-svc= libcurl=""",
    ),
    "wget": (
        "46bcEFHkKLmNpqrSvVxd",
        "aABDeiIlOoPQRtTUwX",
        """
        adjust-extension append-output= background backup-converted backups? content-disposition continue
        convert-links cut-dirs= debug delete-after directory-prefix= domains= force-directories header=
        input-file= level= limit-rate= load-cookies= max-redirect= mirror method= body-data=
        no-check-certificate no-clobber no-directories no-host-directories no-parent no-verbose no-cache
        output-document= output-file= page-requisites password= post-data= quiet read-timeout= recursive
        reject= accept= retry-connrefused save-cookies= server-response show-progress span-hosts spider
        timeout= timestamping tries= trust-server-names user-agent= user= verbose wait=""",
    ),
    "git rm": (
        "fnqr",
        "",
        """
        cached dry-run force ignore-unmatch pathspec-file-nul pathspec-from-file= quiet sparse""",
    ),
    "git mv": ("fknv", "", "dry-run force sparse verbose"),
    "git restore": (
        "pqSW",
        "sU",
        """
        conflict= ignore-skip-worktree-bits ignore-unmerged merge no-overlay no-progress
        no-recurse-submodules ours overlay patch pathspec-file-nul pathspec-from-file= progress quiet
        recurse-submodules source= staged theirs worktree""",
    ),
    "git clean": ("dfinqxX", "e", "dry-run exclude= force interactive quiet"),
    "git checkout": (
        "dflmpqtf",
        "bBU",
        """
        conflict= detach force guess ignore-other-worktrees ignore-skip-worktree-bits merge no-guess
        no-overlay no-progress no-recurse-submodules no-track orphan= ours overlay overwrite-ignore patch
        pathspec-file-nul pathspec-from-file= progress quiet recurse-submodules theirs track?""",
    ),
    "git apply": (
        "3NRqvz",
        "pC",
        """
        3way allow-binary-replacement allow-empty apply binary build-fake-ancestor= cached check directory=
        exclude= ignore-space-change ignore-whitespace inaccurate-eof include= index intent-to-add no-add
        numstat ours quiet recount reject reverse stat summary theirs unidiff-zero union unsafe-paths
        verbose whitespace=""",
    ),
}
_G_WORDS = "cp mv rm ln tar sed install touch mkdir tee truncate chmod dd awk"
PLAIN = {f"g{name}": name for name in _G_WORDS.split()}
"""Other names of the same programs."""
PLAIN |= {"mawk": "awk", "nawk": "awk", "bsdtar": "tar", "chgrp": "chown"}
_ZIP_WORDS = "gunzip bzip2 bunzip2 xz unxz zstd unzstd lzma uncompress"
PLAIN |= dict.fromkeys(_ZIP_WORDS.split(), "gzip")
_UNREAD_WORDS = (
    "chattr csplit dos2unix ed emacs ex mknod nano nvim prename rename setfacl setfattr trash trash-put unix2dos vi vim"
)
UNREAD = frozenset(_UNREAD_WORDS.split())
"""Programs that change files among their words, in ways of their own: each word may be one that is changed."""
CHANGERS = frozenset({*(name for name in GRAMMARS if " " not in name), *PLAIN, *UNREAD, "dd", "find", "git", "zip"})
"""Names of all programs that are known to change files."""
